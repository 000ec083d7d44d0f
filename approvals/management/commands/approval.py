"""`manage.py approval`: ask, see, decide, simulate and prove."""

from __future__ import annotations

from approvals.console.absence import Absence
from approvals.console.acting import Acting
from approvals.console.asking import Looking, Opening
from approvals.console.deciding import Deciding
from approvals.console.proving import Proving
from approvals.console.trying import Trying


class Command(Opening, Looking, Deciding, Acting, Absence, Trying, Proving):
    help = "Ask for approval, see what waits, decide, simulate policies, and prove what was decided."
