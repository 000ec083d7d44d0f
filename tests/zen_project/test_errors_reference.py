"""docs/reference/errors.md lists every error that the code knows, with the status and exit code that it has."""

from __future__ import annotations

import re
from pathlib import Path

from foundation import errors
from foundation.api.errors import STATUS
from foundation.console import exit_codes
from foundation.console.exit_codes import EXIT, OTHERWISE
from orchestration.actions import errors as of_steps
from zen_project.management import console

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "errors.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_each_error_of_a_call_has_its_status_and_exit_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", section("Errors of a call"), re.MULTILINE)
    known = {
        kind.__name__: (STATUS[kind], EXIT.get(kind, OTHERWISE))
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ZenError) and kind is not errors.ZenError
    }
    assert {name: (int(status), int(code)) for name, status, code in rows} == known


def test_each_exit_code_is_listed() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)}
    codes = {
        exit_codes.OK, OTHERWISE, exit_codes.BAD_INPUT, exit_codes.UNREACHABLE, exit_codes.INTERRUPTED,
        console.BAD_INPUT, console.INTERRUPTED, console.BROKEN_PIPE,
    }  # fmt: skip
    assert listed == codes


def test_each_status_that_the_api_documents_is_listed() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Other answers of the API"), re.MULTILINE)}
    text = (ROOT / "foundation" / "api" / "docs.py").read_text()
    documented = {int(code) for code in re.findall(r"^    (4\d\d|5\d\d):", text, re.MULTILINE)}
    assert documented and documented <= listed | set(STATUS.values())


def test_each_system_check_is_listed() -> None:
    listed = re.findall(r"^\| `(zen\.[EWI]\d+)` \|", section("System checks"), re.MULTILINE)
    found = set(re.findall(r'id="(zen\.[EWI]\d+)"', (ROOT / "zen_project/checks.py").read_text()))
    assert sorted(listed) == sorted(found)


def test_each_error_of_a_handler_is_listed() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", section("Errors of a step"), re.MULTILINE))
    own = {name for name, kind in vars(of_steps).items() if getattr(kind, "__module__", "") == of_steps.__name__}
    assert listed == own
