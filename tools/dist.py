"""`make dist`: the wheel and the source distribution of a commit, from its files alone, into `dist`.

What lies in the checkout besides (changes, files that git ignores, what an older build left) goes into neither. The
wheel is built from the source distribution, so that it shows that nothing is missing in that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
CALL = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def build(checkout: Path, commit: str, into: Path) -> tuple[Path, Path]:
    """The paths of the source distribution and of the wheel of `commit` (a tag, a branch, a hash) in `into`.

    Raises:
        subprocess.CalledProcessError: git or setuptools refuses; stderr has said why.
    """
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zen-dist-") as name:
        folder = Path(name)
        tree, backend, made = folder / "tree", folder / "backend", folder / "made"
        _unpack(_git(checkout, "archive", "--format=tar", commit), tree)
        needed = tomllib.loads((tree / "pyproject.toml").read_text())["build-system"]["requires"]
        subprocess.run([*PIP, "install", "--target", str(backend), *needed], check=True)
        env = os.environ | {
            "PYTHONPATH": str(backend),
            "SOURCE_DATE_EPOCH": _git(checkout, "log", "-1", "--format=%ct", commit).decode().strip(),
        }
        subprocess.run([sys.executable, "-c", CALL, "build_sdist", str(made)], cwd=tree, env=env, check=True)
        (source,) = made.glob("*.tar.gz")
        _unpack(source.read_bytes(), folder / "source")
        (tree,) = (folder / "source").iterdir()
        subprocess.run([sys.executable, "-c", CALL, "build_wheel", str(made)], cwd=tree, env=env, check=True)
        (wheel,) = made.glob("*.whl")
        return _moved(source, into), _moved(wheel, into)


def _git(checkout: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=checkout, stdout=subprocess.PIPE, check=True).stdout


def _unpack(packed: bytes, into: Path) -> None:
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(into, filter="data")


def _moved(made: Path, into: Path) -> Path:
    there = into / made.name
    there.write_bytes(made.read_bytes())
    return there


if __name__ == "__main__":
    try:
        for path in build(ROOT, sys.argv[1] if sys.argv[1:] else "HEAD", ROOT / "dist"):
            print(path.relative_to(ROOT))
    except subprocess.CalledProcessError as error:
        sys.exit(f"zen: no distribution: {error.cmd[0]} ended with {error.returncode}")
