"""Speaks ACP on stdin and stdout until its input ends."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from orchestration.agents.scripted.agent import ScriptedAgent
from orchestration.agents.scripted.behaviours import BEHAVIOURS
from orchestration.agents.scripted.task import DEFAULT


def main() -> None:
    """Read the arguments and speak."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.agents.scripted", description=__doc__)
    known = ", ".join((*BEHAVIOURS, "auth"))
    given = os.environ.get("ZEN_SCRIPTED_BEHAVIOUR") or DEFAULT
    parser.add_argument("--behaviour", default=given, help=f"one for each attempt, by commas: {known}")
    parser.add_argument("--state", type=Path, default=None, help="folder in which sessions are kept, to be resumed")
    words = parser.parse_args()
    unknown = [one for one in words.behaviour.split(",") if one.strip() not in {*BEHAVIOURS, "auth"}]
    if unknown:
        parser.error(f"no behaviour {unknown[0]!r}; there are: {known}")
    asyncio.run(ScriptedAgent(words.behaviour, words.state).run())


if __name__ == "__main__":
    main()
