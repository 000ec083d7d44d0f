from django.apps import AppConfig
from django.db.backends.signals import connection_created


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from notifications import clock

        connection_created.connect(clock.read_on_connect, dispatch_uid="notifications.clock")
