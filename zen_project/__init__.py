"""Wiring only. Importing the Celery app here makes every @shared_task belong to it, in web and console too."""

from .celery import app as celery_app

__all__ = ["celery_app"]
