import os

from django.core.asgi import get_asgi_application
from django.db import connections

from zen_project.bodies import AsgiLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
application = AsgiLimit(get_asgi_application())

from orchestration.statement_watch import WATCH  # noqa: E402 - it needs Django's settings

WATCH.start()

# A request's thread ends with the request, and a connection kept for later would outlive it unseen.
for entry in connections.settings.values():
    entry["CONN_MAX_AGE"] = 0
