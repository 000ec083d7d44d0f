from django.apps import AppConfig


class ZenProjectConfig(AppConfig):
    name = "zen_project"
    verbose_name = "Zen"

    def ready(self) -> None:
        from . import checks  # noqa: F401 -- registers the system checks
