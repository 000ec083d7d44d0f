"""The switch of a deployment: takes requests on a port of the loopback and hands each to a backend, by weights.

    python -I switch.py FOLDER

FOLDER/switch.json says `generation`, `port` and `backends` ({release, replica, port, weight}); it is replaced whole,
and read at the start and when the control socket FOLDER/switch.sock is told {"do": "reload"}. {"do": "status"} answers
with what was counted. Exit codes: 3 the port is taken, 4 another switch serves this folder.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parent))  # without the packages of Zen, which would load all of it
    sys.exit(importlib.import_module("switching.server").main(Path(sys.argv[1])))
