"""The Django project: settings, URLs, Celery's app, the demonstration, and embedded servers.

It puts the apps together and holds no rule of its own. It may import every app, and no app imports it.

Importing the Celery app here makes every @shared_task belong to it, in web processes and in the console too.
"""

from zen_project.celery import app as celery_app

__all__ = ["celery_app"]
