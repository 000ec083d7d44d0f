import os

from django.core.wsgi import get_wsgi_application

from zen_project.bodies import wsgi_limit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
application = wsgi_limit(get_wsgi_application())

from orchestration.statement_watch import WATCH  # noqa: E402 - it needs Django's settings

WATCH.start()
