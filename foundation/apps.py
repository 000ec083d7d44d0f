"""The Django app. Once ready, each new database connection may read the database's clock."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from foundation import clock


class FoundationConfig(AppConfig):
    """Label `foundation`; its models keep the label `orchestration` (docs/adr/0010)."""

    name = "foundation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have new connections read the clock (`clock.read_on_connect`)."""
        connection_created.connect(clock.read_on_connect, dispatch_uid="foundation.clock")
