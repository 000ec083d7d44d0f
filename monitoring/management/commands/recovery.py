"""`manage.py recovery`: what runs are mended by themselves, and how."""

from __future__ import annotations

from monitoring.console.recovery_attempts import Attempts
from monitoring.console.recovery_policies import Policies
from monitoring.console.recovery_trials import Trials


class Command(Policies, Trials, Attempts):
    help = "Let runs mend themselves: policies, what they would do, and what they have done."
