"""How many examples a property is tried with: what its test says, or a twentieth where an answer is wanted soon."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FEW = bool(os.environ.get("ZEN_TEST_FEW_EXAMPLES"))
"""`make test-fast` sets it."""
LEAST = 5

SLOW = (HealthCheck.too_slow,)
"""No test depends on how fast the machine is."""

settings.register_profile("whole", deadline=None, suppress_health_check=SLOW)
settings.register_profile("few", max_examples=LEAST, deadline=None, suppress_health_check=SLOW)
settings.load_profile("few" if FEW else "whole")


def examples(many: int) -> settings:
    """Settings with this many examples and no deadline; a twentieth of them, and five at least, if few are wanted."""
    return settings(max_examples=max(LEAST, many // 20) if FEW else many, deadline=None)
