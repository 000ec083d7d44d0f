import os

from django.core.asgi import get_asgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
django_application = get_asgi_application()

from foundation.db.statement_watch import WATCH  # noqa: E402 - it needs Django's settings
from zen_project.web.bodies import AsgiLimit  # noqa: E402 - the same

application = AsgiLimit(django_application)
WATCH.start()

# A request's thread ends with the request, and a connection kept for later would outlive it unseen.
for entry in connections.settings.values():
    entry["CONN_MAX_AGE"] = 0
