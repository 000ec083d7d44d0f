"""Who acts at the console, and which exit code an error has."""

from __future__ import annotations

import functools
import getpass
import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from django.db.utils import OperationalError, ProgrammingError

from foundation.errors import BadInput, NotFound, Unreachable, WrongState, ZenError
from foundation.identity.actor import CONSOLE_ROLES, Actor

OK, OTHERWISE, BAD_INPUT, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130
EXIT: dict[type[ZenError], int] = {
    BadInput: BAD_INPUT,
    NotFound: BAD_INPUT,
    WrongState: OTHERWISE,
    Unreachable: UNREACHABLE,
}
Command = TypeVar("Command", bound=Callable[..., Any])


def actor() -> Actor:
    """The console's actor. An operating-system account that can run manage.py can write the database, so it acts as an
    administrator under that account's name.
    """
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "console"
    return Actor(name=name, door="console", roles=CONSOLE_ROLES)


def guarded(command: Command) -> Command:
    """Our errors become one readable message on stderr and their exit code."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except ZenError as error:
            complain(error)
            raise typer.Exit(EXIT.get(type(error), OTHERWISE)) from None
        except (OperationalError, ProgrammingError) as error:
            if "no such table" in str(error) or "does not exist" in str(error):
                note("the database has no tables yet; run `python manage.py migrate` first")
                raise typer.Exit(BAD_INPUT) from None
            note(f"the database cannot be used: {error}")
            raise typer.Exit(UNREACHABLE) from None

    return run  # type: ignore[return-value]


def complain(error: ZenError) -> None:
    """Print a refusal and its remedy on stderr."""
    note(f"zen: {error.message}")
    if error.remedy:
        note(f"     {error.remedy}")


def note(text: str) -> None:
    """For people: on stderr, so that stdout holds the answer alone."""
    print(text, file=sys.stderr, flush=True)


def put_json(value: object) -> None:
    """Print one JSON value on stdout; what is no JSON, such as a datetime, as text."""
    print(json.dumps(value, default=str), flush=True)


def is_interactive() -> bool:
    """Whether there is a terminal to ask questions at."""
    return sys.stdin.isatty()
