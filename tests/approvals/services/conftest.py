from __future__ import annotations

import pytest

from orchestration import plans
from orchestration.engines.celery import known
from tests.contract.cast import account


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    """Bob, Carol and Dora decide; nobody performs anything by itself."""
    plans.forget()
    known.forget()
    for name in ("bob", "carol", "dora"):
        account(name)
