"""A wheel that is built as `make dist` does works alone: the command, the pages, the types, a plain script."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools import dist

pytestmark = pytest.mark.servers  # processes of its own

ROOT = Path(__file__).parents[2]
ROOMS = ("foundation", "notifications", "orchestration", "approvals", "monitoring", "zen_project")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
PAGE = """
import zen_project.standalone
from django.core.management import call_command
from django.test import Client
from orchestration import client
call_command("migrate", verbosity=0)
site = Client(headers={"host": "localhost"})
login = site.get("/admin/login/")
style = site.get("/static/zen_project/plain.css")
other = site.get("/static/passwords.txt")
print(login.status_code, style.status_code, other.status_code, client.__file__)
"""

TYPED = """
import asyncio
import zen_project.standalone
from orchestration.client import get_temporal_client

reached: bool = asyncio.run(get_temporal_client().connect())
wrong: int = asyncio.run(get_temporal_client().get_workflow_status("w-1"))
"""

BEFORE = """
import zen_project.standalone
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
call_command("migrate", verbosity=0)
account = get_user_model().objects.create_user("user", email="user@company.com")
account.groups.add(Group.objects.get(name="approver"))
"""


STALE = "approvals/token.py"
"""As an older release had it: its name is one of Python's own library."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the files of this one as they are, in which older releases were built by all means."""
    tree = tmp_path_factory.mktemp("wheel") / "tree"
    for name in tracked():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((ROOT / name).read_bytes())
    git = ["git", "-c", "user.name=Zen", "-c", "user.email=zen@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-q", "--no-verify", "-m", "All"]):
        subprocess.run([*git, *command], cwd=tree, check=True)
    for left in (f"build/lib/{STALE}", STALE, f"zen_orchestration.egg-info/{STALE}"):
        (tree / left).parent.mkdir(parents=True, exist_ok=True)
        (tree / left).write_text("raise ImportError")
    (tree / "zen_orchestration.egg-info" / "SOURCES.txt").write_text(f"{STALE}\n")
    return tree


@pytest.fixture(scope="module")
def packed(tree: Path) -> tuple[Path, Path]:
    """The source distribution and the wheel, as `make dist` builds them."""
    return dist.build(tree, "HEAD", tree.parent / "dist")


@pytest.fixture(scope="module")
def wheel(packed: tuple[Path, Path]) -> Path:
    return packed[1]


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder of programs of an environment with the wheel; what it depends on comes from the one of the tests."""
    home = wheel.parent / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    (Path(paths["purelib"]) / "theirs.pth").write_text(sysconfig.get_paths()["purelib"])
    program = f"{paths['scripts']}/python"
    subprocess.run([*PIP, "--python", program, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    return Path(paths["scripts"])


def ran(installed: Path, folder: Path, *command: str) -> str:
    foreign = ("ZEN_", "DJANGO_", "DATABASE_", "CELERY_", "TEMPORAL_", "PYTHON")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    env["PATH"] = f"{installed}:{env['PATH']}"
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_holds_the_files_of_the_apps_and_no_other(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    there = {name for name in tracked() if name.partition("/")[0] in ROOMS and not name.endswith("/README.md")}
    assert names == there
    assert {f"{room}/py.typed" for room in ROOMS} <= names


def test_one_that_pip_builds_in_the_checkout_itself_has_nothing_of_an_older_build(tree: Path, tmp_path: Path) -> None:
    (tree / STALE).unlink(missing_ok=True)  # what lies there would be built, as it should
    command = [*PIP, "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(tree)]
    subprocess.run(command, cwd=tmp_path, check=True)
    (made,) = tmp_path.glob("*.whl")
    assert STALE not in zipfile.ZipFile(made).namelist() and (tree / "build" / "lib" / STALE).exists()


def test_it_declares_its_extras_and_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (metadata,) = (name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        said = packed.read(metadata).decode()
        commands = packed.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    extras = {line.removeprefix("Provides-Extra: ") for line in said.splitlines() if line.startswith("Provides-Extra")}
    assert {"agents", "temporal", "postgres", "nats", "kafka", "mcp", "otel", "embedded", "workflows"} <= extras
    assert "zen = zen_project.management.console:zen" in commands


def test_its_types_are_found(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TYPED)
    checked = [
        f"{installed}/python",
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--cache-dir",
        "cache",
        "mine.py",
    ]
    done = subprocess.run(checked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "mine.py:7: error: Incompatible types in assignment" in done.stdout, done.stdout + done.stderr
    assert "Found 1 error" in done.stdout, "and nothing is untyped"


def test_the_source_distribution_holds_them_too(packed: tuple[Path, Path]) -> None:
    with tarfile.open(packed[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    page, style = "approvals/templates/approvals/link/page.html", "zen_project/static/zen_project/plain.css"
    assert {"pyproject.toml", "setup.py", page, style, "orchestration/py.typed"} <= names and STALE not in names


def test_the_demonstration_runs(installed: Path, tmp_path: Path) -> None:
    assert "All results are as expected." in ran(installed, tmp_path, "zen", "demo", "--engine", "celery")


def test_a_plain_script_has_the_pages(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "staticfiles").mkdir()  # of another project, in whose folder Zen is started
    (tmp_path / "staticfiles" / "passwords.txt").write_text("secret")
    login, style, other, where = ran(installed, tmp_path, f"{installed}/python", "-c", PAGE).split()
    assert (login, style, other) == ("200", "200", "404") and where.startswith(str(installed.parent))
    assert (tmp_path / ".zen").is_dir(), "data are where it was started"


def test_the_script_of_the_readme_runs(installed: Path, tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "mine.py").write_text(script)
    ran(installed, tmp_path, f"{installed}/python", "-c", BEFORE)
    assert "user-onboarding-saga" in ran(installed, tmp_path, f"{installed}/python", "mine.py")
