"""Every way in which a command ends becomes the exit code of a real process."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.servers import environment

pytestmark = pytest.mark.servers  # processes of its own

ROOT = Path(__file__).parents[2]

# A command is added to a real process, which then leaves as manage.py does.
HARNESS = """
import sys
from django.core import management
from django.core.management import BaseCommand, CommandError
from zen_project.management import console

{command}

management.load_command_class = lambda app, name: Command()
management.get_commands = lambda: {{"ending": "zen_project"}}
console.main(["manage.py", "ending", *sys.argv[1:]])
"""
PLAIN = """
class Command(BaseCommand):
    requires_system_checks = []

    def handle(self, **options):
        {ending}
"""
TYPER = """
import typer
from django_typer.management import TyperCommand

class Command(TyperCommand):
    requires_system_checks = []

    def handle(self):
        {ending}
"""


def end(kind: str, ending: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = HARNESS.format(command=textwrap.dedent(kind).format(ending=ending))
    environ = environment.for_processes()
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("print('done')", 0),
        ("raise CommandError('no', returncode=3)", 3),
        ("sys.exit(5)", 5),
        ("sys.exit('gone')", 1),
        ("raise KeyboardInterrupt", 130),
        ("raise RuntimeError('broken')", 1),
    ],
)
def test_a_plain_command_keeps_its_exit_code(ending: str, code: int) -> None:
    assert end(PLAIN, ending).returncode == code


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("print('done')", 0),
        ("raise typer.Exit(3)", 3),
        ("raise typer.BadParameter('no')", 2),
        ("raise CommandError('no', returncode=3)", 3),
        ("sys.exit(5)", 5),
    ],
)
def test_a_typer_command_keeps_its_exit_code(ending: str, code: int) -> None:
    ended = end(TYPER, ending)
    assert ended.returncode == code, ended.stderr


def test_an_unknown_option_is_bad_input() -> None:
    assert end(TYPER, "print('done')", "--unknown").returncode == 2
    assert end(PLAIN, "print('done')", "--unknown").returncode == 2


def test_what_was_printed_and_logged_arrives() -> None:
    ended = end(PLAIN, "import logging; print('out', end=''); logging.getLogger('zen').warning('logged')")
    assert ended.stdout == "out"
    assert "logged" in ended.stderr


def test_nothing_is_finalised() -> None:
    """The interpreter's end is where the SDK's thread could crash it."""
    ended = end(PLAIN, "import atexit; atexit.register(print, 'finalised')")
    assert (ended.returncode, ended.stdout) == (0, "")


def test_an_exception_shows_where_it_came_from() -> None:
    assert "RuntimeError: broken" in end(PLAIN, "raise RuntimeError('broken')").stderr


def test_a_wrong_setting_is_one_line_and_exit_2() -> None:
    environ = environment.for_processes() | {"ZEN_SCRIPTS": "sometimes"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        "zen: ZEN_SCRIPTS='sometimes' is none of off, sandboxed, unsafe; for example ZEN_SCRIPTS=off\n"
    )


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    ended = subprocess.run(
        f"{sys.executable} manage.py help --commands | true",
        shell=True,
        cwd=ROOT,
        env=environment.for_processes(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ended.stderr


def test_the_installed_command_finds_settings_in_the_folder_where_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "a_site.py").write_text("")
    # Celery puts the folder there too, for sites that have it: what it did is undone before the command begins.
    code = """
import sys
from zen_project.management import console
sys.path[:] = [one for one in sys.path if one not in ("", sys.argv[1])]
console.main = lambda argv: print(__import__("a_site").__file__, sys.path.count(sys.argv[1]))
console.zen()
console.zen()
"""
    environ = environment.for_processes() | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tmp_path)],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stdout.splitlines() == [f"{tmp_path}/a_site.py 1"] * 2, ended.stderr
