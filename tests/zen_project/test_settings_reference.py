"""docs/reference/settings.md lists every variable that the code reads, with the default that it has, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from zen_project import settings
from zen_project.config.env import Env
from zen_project.config.mail import PARTS
from zen_project.config.temporal_server import TLS_PARTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "settings.md").read_text()
VARIABLES, OF_A_MODULE = PAGE.split("## In a settings module of your own")
ROW = re.compile(r"^\| `([A-Z][A-Z_]+)`( \*file\*)? \| (.*?) \| .+ \|$", re.MULTILINE)
READERS = {name for name in vars(Env) if not name.startswith("_")} - {"environ", "action_secrets"}
VALUES = {"text", "boolean", "integer", "seconds", "choice"}


def calls() -> Iterator[ast.Call]:
    """`env.integer("ZEN_…", 8)` and its like, and `find(…, variable="ZEN_…_BINARY")`."""
    for path in (ROOT / "zen_project").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield node


def read() -> dict[str, ast.Call | None]:
    """{variable: the call that reads it, where it is one with the name in it}."""
    found: dict[str, ast.Call | None] = dict.fromkeys((*PARTS, *TLS_PARTS))
    for call in calls():
        found |= {text(key.value): None for key in call.keywords if key.arg == "variable"}
        if isinstance(call.func, ast.Attribute) and call.func.attr in READERS and call.args:
            found[text(call.args[0])] = call
    return {name: call for name, call in found.items() if re.fullmatch(r"[A-Z][A-Z_]+", name)}


def text(node: ast.expr) -> str:
    """The text that stands there; '' for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_each_variable_that_is_read_is_listed_and_no_other() -> None:
    listed = [name for name, _, _ in ROW.findall(VARIABLES)]
    assert sorted(listed) == sorted({*read(), "ZEN_TEMPORAL_CODEC_KEYS"}), "codec_keys has the name in a constant"


def test_each_default_is_the_one_of_the_code() -> None:
    shown = {name: default.strip("`") for name, _, default in ROW.findall(VARIABLES)}
    for name, call in read().items():
        if call is None or len(call.args) < 2 or not isinstance(call.args[1], ast.Constant):
            continue
        assert isinstance(call.func, ast.Attribute)
        default = call.args[1].value
        if call.func.attr in VALUES:
            said = ("on" if default else "off") if isinstance(default, bool) else str(default)
            assert shown[name] == said, name


def test_a_secret_may_come_from_a_file() -> None:
    files = {name for name, file, _ in ROW.findall(VARIABLES) if file}
    secrets = {
        name for name, call in read().items()
        if call and isinstance(call.func, ast.Attribute) and call.func.attr == "secret"
    }  # fmt: skip
    assert files == secrets | {"EMAIL_PASSWORD", "ZEN_TEMPORAL_CODEC_KEYS"}


def test_each_setting_that_is_no_variable_is_listed() -> None:
    ours = {name for name in vars(settings) if name.startswith("ZEN_")}
    listed = set(re.findall(r"`(ZEN_[A-Z_]+)`", OF_A_MODULE))
    assert listed == ours - read().keys() - {"ZEN_TEMPORAL_CODEC_KEYS"} | {"ZEN_TASKS"}
