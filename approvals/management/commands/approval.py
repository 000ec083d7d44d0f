"""`manage.py approval`: ask, see, decide, simulate and prove."""

from __future__ import annotations

from approvals.console.proving import Proving
from approvals.console.trying import Trying


class Command(Trying, Proving):
    help = "Ask for approval, see what waits, decide, simulate policies, and prove what was decided."
