"""The one place where a console process of Zen begins and ends."""

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import connections

from foundation import nudge
from orchestration.attempt_log.buffer import BUFFER
from zen_project.embedded.process import stop_all

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def zen() -> NoReturn:
    """The command `zen`: manage.py's commands, for whatever site DJANGO_SETTINGS_MODULE names, else ours.

    Settings may be in the folder where it is called: Python looks there for `manage.py` and `python -m`, and not for
    an installed command.
    """
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zen_project.settings")
    main(sys.argv)


def main(argv: list[str]) -> NoReturn:
    code = run(argv)
    if is_reloaded(argv) or "pytest" in sys.modules:
        sys.exit(code)
    leave(code)


def run(argv: list[str]) -> int:
    """The command's own exit code, however it says it: SystemExit, CommandError, typer.Exit or an exception."""
    try:
        _ = settings.INSTALLED_APPS  # Django would hide a wrong setting behind "Unknown command"
        execute_from_command_line(argv)
    except SystemExit as exit_:
        return exit_code(exit_)
    except ImproperlyConfigured as error:
        print(f"zen: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except Exception:  # noqa: BLE001 -- the process's top: show it and fail
        traceback.print_exc()
        return 1
    return 0


def exit_code(exit_: SystemExit) -> int:
    """A usage error knows its code (2), but django-typer answers each with 1, and raises the exit from within it."""
    if isinstance(exit_.code, str):
        print(exit_.code, file=sys.stderr)
        return 1
    if exit_.code == 1:
        return int(getattr(exit_.__context__, "exit_code", 1))
    return exit_.code or 0


def leave(code: int) -> NoReturn:
    """Temporal's SDK has a native thread that can crash the interpreter while it finalises (6 of 60 processes did).

    So nothing is finalised: what must be written or closed is, here, and then the process ends at once.
    """
    if settings.configured:
        nudge.flush()
        BUFFER.drain()
        connections.close_all()
    stop_all()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):  # the reader has gone (`… | head`), or the stream is closed
            code = code or BROKEN_PIPE
    os._exit(code)


def is_reloaded(argv: list[str]) -> bool:
    """Django's autoreloader restarts its child by the child's exit, and cleans up after itself."""
    return argv[1:2] == ["runserver"] and "--noreload" not in argv
