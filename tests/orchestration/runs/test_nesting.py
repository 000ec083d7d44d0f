"""A saga that would contain itself is refused, with the way that leads back."""

from __future__ import annotations

import random
from difflib import SequenceMatcher
from typing import Any
from unittest import mock

import pytest

from foundation.errors import BadInput
from orchestration.core.definition.problems import MOST_PROBLEMS
from orchestration.core.likeness import MOST_WORK
from orchestration.models import Definition, Run
from orchestration.runs import check_definition, publish, start_run
from orchestration.runs.definitions import warnings_now
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db


def saga(saga_id: str, *children: Any) -> dict[str, Any]:
    wait = {"step_id": "w", "forward_action": {"type": "wait", "seconds": 0}}
    steps = [
        {"step_id": f"kid{n}", "forward_action": {"type": "saga", "definition": child}}
        for n, child in enumerate(children)
    ]
    return {"saga_id": saga_id, "steps": [wait, *steps]}


def problem(definition: dict[str, Any]) -> tuple[object, object, str]:
    with pytest.raises(BadInput) as caught:
        check_definition(definition)
    (only,) = caught.value.problems
    return only["step"], only["field"], str(only["message"])


def test_a_saga_that_names_itself() -> None:
    assert problem(saga("a", "a")) == (
        "kid0", "forward_action.definition", "the saga would contain itself: a → a"
    )  # fmt: skip


def test_a_child_in_place_that_names_what_it_stands_in() -> None:
    assert problem(saga("a", saga("b", saga("c", "a")))) == (
        "kid0/kid0/kid0", "forward_action.definition", "the saga would contain itself: a → b → c → a"
    )  # fmt: skip


def test_the_saga_that_closes_a_circle_is_refused() -> None:
    publish(data=saga("b", saga("inner", "c")), actor=ADA)
    publish(data=saga("c", "d", "a"), actor=ADA)
    assert problem(saga("a", "b")) == (
        "kid0", "forward_action.definition", "the saga would contain itself: a → b → c → a"
    )  # fmt: skip
    with pytest.raises(BadInput):
        publish(data=saga("a", "b"), actor=ADA)
    assert not Definition.objects.filter(saga_id="a").exists()


def test_a_child_that_is_used_twice_is_no_circle() -> None:
    publish(data=saga("d"), actor=ADA)
    publish(data=saga("b", "d"), actor=ADA)
    publish(data=saga("c", "d"), actor=ADA)
    check_definition(saga("a", "b", "c", "d"))


def test_only_the_latest_version_counts() -> None:
    publish(data=saga("b", "a"), actor=ADA)
    publish(data=saga("b"), actor=ADA)
    check_definition(saga("a", "b"))


def test_a_circle_that_leaves_the_saga_out_does_not_hang() -> None:
    for name, child in (("b", "c"), ("c", "b")):
        Definition.objects.create(saga_id=name, version=1, hash=name, name=name, body=saga(name, child))
    check_definition(saga("a", "b"))


def test_each_saga_on_the_way_is_read_once(django_assert_num_queries: Any) -> None:
    publish(data=saga("c"), actor=ADA)
    publish(data=saga("b", "c", "c"), actor=ADA)
    with django_assert_num_queries(2):
        check_definition(saga("a", "b", "c", "b", "b", "c"))


def test_many_children_that_are_not_published_are_looked_for_at_once(django_assert_num_queries: Any) -> None:
    publish(data=saga("b", *(f"kid-{n}" for n in range(50)), "c"), actor=ADA)
    publish(data=saga("c", "a"), actor=ADA)
    with django_assert_num_queries(5):  # which are there, of its own and of b's; b, c and a
        check_definition(saga("e", *(f"none-{n}" for n in range(100)), "b"))
    assert problem(saga("a", *(f"none-{n}" for n in range(100)), "b")) == (
        "kid100", "forward_action.definition", "the saga would contain itself: a → b → c → a"
    )  # fmt: skip


def test_a_start_refuses_a_child_that_is_not_published() -> None:
    publish(data=saga("hotel"), actor=ADA)
    trip = saga("trip", "hotle", saga("inner", "zzz"), "hotel")
    assert [line for line in warnings_now(check_definition(trip)) if "refused until then" in line]
    with pytest.raises(BadInput) as caught:
        start_run(definition=trip, actor=ADA, engine="celery")
    told = [(one["step"], one["field"], one["remedy"]) for one in caught.value.problems]
    assert told == [
        ("kid0", "forward_action.definition", "did you mean 'hotel'?"),
        ("kid1/kid0", "forward_action.definition", "publish it first"),
    ]
    assert not Run.objects.exists() and not Definition.objects.filter(saga_id="trip").exists()
    publish(data=trip, actor=ADA)  # its children may come later
    for name in ("hotle", "zzz"):
        publish(data=saga(name), actor=ADA)
    assert not [line for line in warnings_now(check_definition(trip)) if "refused until then" in line]
    assert start_run(definition=trip, actor=ADA, engine="celery")[1]


def test_many_unknown_children_are_likened_within_one_budget() -> None:
    """Anagrams of what is published are what costs most; those alone that are told are likened."""
    rng = random.Random(2)
    names = ["".join(rng.sample("abcdefghij" * 4, 40)) for _ in range(600)]
    bodies = [
        Definition(saga_id=name, version=1, hash=f"{n}", name=name, body={}) for n, name in enumerate(names[:300])
    ]
    Definition.objects.bulk_create(bodies)
    with mock.patch.object(SequenceMatcher, "ratio", return_value=0.0) as looks:
        warned = warnings_now(check_definition(saga("a", *names[300:])))
        assert 0 < looks.call_count <= MOST_WORK // 80
        looks.reset_mock()
        with pytest.raises(BadInput):
            start_run(definition=saga("a", *names[300:]), actor=ADA, engine="celery")
        assert 0 < looks.call_count <= MOST_WORK // 80
    assert len([line for line in warned if "refused until then" in line]) == 300
    with mock.patch("orchestration.runs.definitions.nesting.nearest", return_value="") as asked:
        warnings_now(check_definition(saga("a", *names[300:])))
    assert asked.call_count == MOST_PROBLEMS


def test_a_child_that_a_step_gives_is_no_name_to_look_for(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        definition = check_definition(saga("a", "{w}"))
        assert not [line for line in warnings_now(definition) if "refused until then" in line]
    assert start_run(definition=saga("a", "{context_has_it}") | {"context": {"context_has_it": {}}}, actor=ADA)[1]
