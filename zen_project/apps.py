from collections.abc import Mapping

from django.apps import AppConfig
from django.conf import settings
from django.db import connections

from foundation import telemetry
from foundation.ports import named
from foundation.tracing import install, is_installed


class ZenProjectConfig(AppConfig):
    name = "zen_project"
    verbose_name = "Zen"

    def ready(self) -> None:
        # Both register themselves: the system checks, and what listens to logins.
        from zen_project import checks  # noqa: F401, PLC0415 - it imports models, which are ready now
        from zen_project.web import logins  # noqa: F401, PLC0415 - the same

        if settings.ZEN_METRICS_SINK:
            telemetry.send_to(_store, settings.WORKFLOW_METRICS_INTERVAL, connections.close_all)
        traces = settings.ZEN_TRACING
        if traces.endpoint and is_installed():
            install(endpoint=traces.endpoint, share=traces.share, version=telemetry.release())


def _store(measured: Mapping[telemetry.Series, telemetry.Values]) -> None:
    """What the setting names is imported when it is needed first: the check of ports tells of a wrong one before."""
    named(settings.ZEN_METRICS_SINK)(measured)
