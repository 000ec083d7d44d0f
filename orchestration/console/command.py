"""The base of our console commands."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django_typer.management import TyperCommand


class ConsoleCommand(TyperCommand):
    """Wrong settings stop it, as everywhere; cautions and remarks are told by `check` and `doctor`, not each time."""

    def check(self, *args: Any, **options: Any) -> None:
        if any(found.is_serious() and not found.is_silenced() for found in checks.run_checks()):
            super().check(*args, **options)
