import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
django_application = get_wsgi_application()

from foundation.db.statement_watch import WATCH  # noqa: E402 - it needs Django's settings
from zen_project.web.bodies import wsgi_limit  # noqa: E402 - the same

application = wsgi_limit(django_application)
WATCH.start()
