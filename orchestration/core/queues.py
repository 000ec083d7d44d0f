"""Queues: which workers perform a step's actions. A name, and how many threads a worker gives to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from orchestration.core.likeness import nearest

DEFAULT = "default"
AGENTS = "agents"
"""What agents do: attempts that take hours, so that they hold up nothing else."""
AGENTS_THREADS = 4
"""Of a worker whose queues nobody has set."""
NAME = r"^[a-z0-9](?:[a-z0-9_.-]{0,48}[a-z0-9])?$"
IN_WORDS = "lower-case letters, digits, . _ and -, at most 50, beginning and ending with a letter or digit"
MOST_THREADS = 256
EXAMPLE = "default:8,agents:4"


def is_name(text: str) -> bool:
    return re.fullmatch(NAME, text) is not None


def parse(text: str) -> dict[str, int]:
    """`default:8,agents:4` as {queue: threads}, in the order given.

    Raises ValueError, whose text says what is wrong and goes on the sentence "ZEN_WORKER_QUEUES='…'".
    """
    found: dict[str, int] = {}
    for entry in (part.strip() for part in text.split(",")):
        name, colon, threads = (part.strip() for part in entry.partition(":"))
        if not entry:
            raise ValueError("has an empty entry")
        if not is_name(name):
            raise ValueError(f"has {name!r}, which is not the name of a queue ({IN_WORDS})")
        if not colon:
            raise ValueError(f"does not say how many threads serve {name!r}")
        if not re.fullmatch(r"\d{1,9}", threads, re.ASCII) or not 1 <= int(threads) <= MOST_THREADS:
            raise ValueError(f"gives {name!r} {threads!r} threads, which is no whole number from 1 to {MOST_THREADS}")
        if name in found:
            raise ValueError(f"names {name!r} twice")
        found[name] = int(threads)
    if sum(found.values()) > MOST_THREADS:
        raise ValueError(f"has {sum(found.values())} threads together, which is more than {MOST_THREADS}")
    return found


def in_words(queues: Mapping[str, int]) -> str:
    """The text that `parse` reads as these queues."""
    return ",".join(f"{name}:{threads}" for name, threads in queues.items())


def meant(name: str, served: Mapping[str, object]) -> str:
    """The served queue that an unserved name was probably meant to be; '' if none is near."""
    return nearest(name, served)
