"""The one-page README of each app, and the recipes of CONTRIBUTING, name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
APPS = ("foundation", "notifications", "orchestration", "approvals", "monitoring", "zen_project")
UNSAID = {"__init__", "apps", "migrations"}
"""What every Django app has."""
PATH = re.compile(r"`([\w.-]+(?:/[\w.{},*-]+)+/?|\w+\.py)`")


def page(app: str) -> str:
    return (ROOT / app / "README.md").read_text()


def is_there(path: str, *folders: Path) -> bool:
    names = [path]
    if found := re.fullmatch(r"(.*)\{(.*)\}(.*)", path):
        names = [f"{found[1]}{one}{found[3]}" for one in found[2].split(",")]
    return all(any((folder / name).exists() or any(folder.glob(name)) for folder in folders) for name in names)


@pytest.mark.parametrize("app", APPS)
def test_it_is_one_page(app: str) -> None:
    assert len(page(app).splitlines()) <= 60


@pytest.mark.parametrize("app", APPS)
def test_each_room_of_an_app_is_named(app: str) -> None:
    rooms = page(app).partition("## Rooms")[2].partition("\n## ")[0]
    cells = " ".join(re.findall(r"^\| (.*?) \|", rooms, re.MULTILINE))
    there = {path.stem for path in (ROOT / app).glob("*.py")}
    there |= {path.parent.name for path in (ROOT / app).glob("*/__init__.py")}
    named = {name.partition("/")[0] for name in re.findall(r"`([\w/]+)`", cells)}
    assert there - UNSAID <= named
    assert all((ROOT / app / name).exists() or (ROOT / app / f"{name}.py").exists() for name in named)


@pytest.mark.parametrize("app", APPS)
def test_each_path_of_its_recipes_is_there(app: str) -> None:
    recipes = page(app).partition("## Where a new one goes")[2]
    assert [path for path in PATH.findall(recipes) if not is_there(path, ROOT / app, ROOT)] == []


def test_each_path_in_contributing_is_there() -> None:
    text = re.sub(r"```.*?```", "", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL)
    apps = [ROOT / app for app in APPS]
    named = [path for path in PATH.findall(text) if not path.endswith((".sh", ".log"))]
    assert len(named) > 20
    assert [path for path in named if not is_there(path, ROOT, *apps, ROOT / "orchestration/core/saga")] == []
