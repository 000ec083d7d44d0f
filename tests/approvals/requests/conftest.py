from __future__ import annotations

import pytest

from tests.system.contract.cast import account


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    """Bob, Carol and Dora decide; nobody performs anything by itself."""
    for name in ("bob", "carol", "dora"):
        account(name)
