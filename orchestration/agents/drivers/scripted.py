"""Our own agent program, over ACP. It needs no command; words of a command are its arguments."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import orchestration
from orchestration.agents.base import Ask, OnEvent, SessionSpec
from orchestration.agents.drivers.acp.driver import AcpDriver
from orchestration.agents.process.sandbox import private_folder
from orchestration.core.agent.session import Ended, Health

ROOT = Path(orchestration.__file__).resolve().parents[1]
PROGRAM = (sys.executable, "-P", "-m", "orchestration.agents.scripted")


class ScriptedDriver:
    """Sessions with `orchestration.agents.scripted`, a process as every other agent is one."""

    def run(self, spec: SessionSpec, *, on_event: OnEvent, ask: Ask, cancelled: threading.Event) -> Ended:
        """See `base.Driver`."""
        return AcpDriver().run(_prepared(spec), on_event=on_event, ask=ask, cancelled=cancelled)

    def check(self, spec: SessionSpec) -> Health:
        """Always installed; starts it once."""
        return AcpDriver().check(_prepared(spec))


def _prepared(spec: SessionSpec) -> SessionSpec:
    state = private_folder("zen-scripted-agent")
    where = os.pathsep.join(filter(None, (str(ROOT), spec.env.get("PYTHONPATH", ""))))
    sandbox = replace(spec.sandbox, writable=(*spec.sandbox.writable, state), readable=(*spec.sandbox.readable, ROOT))
    return replace(
        spec,
        command=(*PROGRAM, "--state", str(state), *spec.command),
        env={**spec.env, "PYTHONPATH": where, "PYTHONDONTWRITEBYTECODE": "1"},
        sandbox=sandbox,
        model="",
    )
