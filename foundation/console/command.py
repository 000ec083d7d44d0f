"""The base of our console commands."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django_typer.management import TyperCommand


class ConsoleCommand(TyperCommand):  # noqa: D101 - see below
    # no docstring: django-typer would open the --help of every command with it

    def check(self, *args: Any, **options: Any) -> None:
        """Wrong settings stop it, as everywhere; cautions and remarks are told by `check` and `doctor`, once."""
        if any(found.is_serious() and not found.is_silenced() for found in checks.run_checks()):
            super().check(*args, **options)
