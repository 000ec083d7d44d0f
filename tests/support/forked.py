"""A process that forks while another of its threads holds something, which no thread of the child ever lets go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal, sys, threading, warnings

warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads
{imports}

def hold():
    {hold}
    held.set()
    let_go.wait()

held, let_go = threading.Event(), threading.Event()
{before}
threading.Thread(target=hold, daemon=True).start()
held.wait()
pid = os.fork()
if not pid:
    signal.alarm({patience})  # ends what waits for ever
    try:
        {child}
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)
let_go.set()
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)
"""


def forked(imports: str, *, hold: str, child: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Each is Python. `hold` runs in a thread of the parent; the end of `child` is the process's exit code."""
    program = PROGRAM.format(
        imports=imports, hold=hold, child=child, before=before, patience=int(PATIENCE_SECONDS) // 2
    )
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
