"""One measurement in a process of its own, and a comparison as a line of the report."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

OWN = ("ZEN_", "TEMPORAL_", "CELERY_", "REDIS_", "DATABASE_URL")
REPETITIONS = 3
FEW_ENDED, MANY_ENDED = 10_000, 1_000_000
FLAT = 1.5


def side(
    module: str, *arguments: str, url: str, folder: Path, temporal_address: str = "", seconds: float = 60
) -> dict[str, Any]:
    """One measurement in a process of its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(OWN)}
    data = folder / uuid.uuid4().hex
    own = {"DATABASE_URL": url, "ZEN_DATA_DIR": str(data), "ZEN_ENGINE": "celery", "CELERY_BROKER_URL": "memory://"}
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        env=clean | own | {"ZEN_LOG_LEVEL": "error", "TEMPORAL_ADDRESS": temporal_address},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"benchmarks.{module} {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


class Databases:
    """A new database for every measurement."""

    def __init__(self, folder: Path, server: str = "") -> None:
        self.folder, self.server = folder, server

    def new(self) -> str:
        name = f"b{uuid.uuid4().hex[:10]}"
        if not self.server:
            return f"sqlite:///{self.folder / name}.sqlite3"
        import psycopg

        with psycopg.connect(self.server.replace("postgres://", "postgresql://"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{self.server.rsplit('/', 1)[0]}/{name}"


def median_ratio(ours: list[float], peer: list[float]) -> float:
    return statistics.median(x / y for x, y in zip(ours, peer, strict=True))


def line(
    name: str, ours: list[float], peer: list[float], unit: str, ratio: float, goal: float, better: str
) -> dict[str, Any]:
    a, b = round(statistics.median(ours), 3), round(statistics.median(peer), 3)
    return {"name": name, "ours": a, "peer": b, "unit": unit, "ratio": round(ratio, 3), "goal": goal, "better": better}


def grown(name: str, large: dict[str, Any], small: dict[str, Any], what: str) -> dict[str, Any]:
    ratio = large[what] / small[what]
    return line(name, [large[what] * 1000], [small[what] * 1000], "ms", ratio, FLAT, "lower")
