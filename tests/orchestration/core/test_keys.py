"""Idempotency keys: one for all attempts of a step's action, and never that of another step."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.enums import Purpose
from orchestration.core.idempotency import LONGEST, idempotency_key

PLACE: dict[str, Any] = {
    "workflow_id": "w-1",
    "saga_id": "order",
    "step_id": "charge",
    "purpose": Purpose.FORWARD,
    "iteration": 2,
    "rules": 2,
}


def test_the_forms() -> None:
    assert idempotency_key(**PLACE) == "w-1:charge:forward:2"
    assert idempotency_key(**PLACE, custom="o-1") == "o-1/w-1:charge:forward:2"
    assert idempotency_key(**PLACE, custom="o-1", scope="business") == "o-1/order/charge:forward:2"
    assert idempotency_key(**PLACE, scope="business") == "w-1:charge:forward:2"
    assert idempotency_key(**PLACE | {"rules": 1}, custom="o-1", scope="business") == "o-1:forward:2"
    assert idempotency_key(**PLACE | {"rules": 1}) == "w-1:charge:forward:2"
    undo = PLACE | {"purpose": Purpose.UNDO}
    assert idempotency_key(**undo, alternative=2) == "w-1:charge:undo:2:alternative:2"


def test_a_long_one_ends_in_its_hash() -> None:
    long, other = (idempotency_key(**PLACE, custom="x" * 1000 + end) for end in "ab")
    assert long != other and len(long) == len(other) == LONGEST and long.startswith("xxx")


HANDLES = st.text("ab:.~-", min_size=1, max_size=4)
OWN = st.text("ab:/", max_size=6)
PLACES = st.tuples(OWN, HANDLES, st.sampled_from(["a", "b-a", "ab"]), st.sampled_from(["run", "business"]))


@given(one=PLACES, two=PLACES)
def test_two_places_never_have_one_key(one: tuple[Any, ...], two: tuple[Any, ...]) -> None:
    keys = []
    for own, handle, step_id, scope in (one, two):
        place = PLACE | {"workflow_id": f"w{handle}", "saga_id": f"s{step_id}", "step_id": step_id}
        keys.append((idempotency_key(**place, custom=own, scope=scope), own, step_id, own and scope, handle))
    (first, *of_first), (second, *of_second) = keys
    if first == second:
        assert of_first[:3] == of_second[:3] and (of_first[2] == "business" or of_first[3] == of_second[3])
