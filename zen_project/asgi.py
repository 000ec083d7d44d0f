import os

from django.core.asgi import get_asgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
django_application = get_asgi_application()

from foundation.db.statement_watch import WATCH  # noqa: E402 - it needs Django's settings
from zen_project.web.bodies import Asgi, AsgiLimit  # noqa: E402 - the same


def with_mcp(site: Asgi) -> Asgi:
    """The site with the MCP server at `/mcp`; without it where the extra `mcp` is not installed."""
    try:
        from zen_project.mcp.http import WithMcp  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        return site
    return WithMcp(site)


application: Asgi = with_mcp(AsgiLimit(django_application))
WATCH.start()

# A request's thread ends with the request, and a connection kept for later would outlive it unseen.
for entry in connections.settings.values():
    entry["CONN_MAX_AGE"] = 0
