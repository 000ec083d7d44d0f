from django.apps import AppConfig


class ZenProjectConfig(AppConfig):
    name = "zen_project"
    verbose_name = "Zen"

    def ready(self) -> None:
        from . import checks, logins  # noqa: F401 -- register the system checks, and what listens to logins
