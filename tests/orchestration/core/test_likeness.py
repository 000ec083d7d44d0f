"""What stands behind every "did you mean": the first of difflib's close matches, at a cost that is bounded."""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from orchestration.core import likeness, queues
from orchestration.core.definition.fillable import misnamed
from orchestration.core.likeness import MOST_WORK, bounded, nearest

MOST_LETTERS = MOST_WORK
"""No letter is looked at for nothing."""


@contextmanager
def counting() -> Iterator[list[int]]:
    """The pairs of letters that each search for a common part goes through, as difflib makes them."""
    found: list[int] = []
    search = difflib.SequenceMatcher.find_longest_match

    def counted(self: Any, alo: int, ahi: int, blo: int, bhi: int) -> difflib.Match:
        found.append(sum(len(self.b2j.get(letter, ())) for letter in self.a[alo:ahi]))
        return search(self, alo, ahi, blo, bhi)

    with mock.patch.object(difflib.SequenceMatcher, "find_longest_match", counted):
        yield found


def shuffled(rng: random.Random, letters: str = "abcdefghij" * 10) -> str:
    return "".join(rng.sample(letters, len(letters)))


def test_it_finds_what_difflib_finds() -> None:
    rng = random.Random(5)
    words = [
        "book-hotel",
        "charge-card",
        "order",
        "orders",
        "customer_id",
        "customer_name",
        "adress",
        "a",
        "ab",
        "timeout",
    ]
    for _ in range(3_000):
        known = [_changed(rng, rng.choice(words)) for _ in range(rng.randint(0, 12))]
        name, cutoff = _changed(rng, rng.choice(words)), rng.choice((0.6, 0.8))
        assert nearest(name, known, cutoff=cutoff) == next(
            iter(difflib.get_close_matches(name, known, n=1, cutoff=cutoff)), ""
        ), (name, known)


def _changed(rng: random.Random, word: str) -> str:
    letters = list(word)
    for _ in range(rng.randint(0, 3)):
        place = rng.randrange(len(letters) + 1)
        letters[place : place + rng.randint(0, 1)] = rng.choice("abcdeorst_-")
    return "".join(letters)


def test_numbers_make_other_names_where_that_is_asked() -> None:
    assert nearest("order_2", ["order_1", "ordre_2"], but_numbers=True) == "ordre_2"
    assert nearest("order_2", ["order_1"], but_numbers=True) == "" and nearest("order_2", ["order_1"]) == "order_1"


@pytest.mark.slow
@pytest.mark.parametrize("letters", ["abcdefghij" * 10, "ab" * 50, "a" * 99 + "b", "abcdefghijkl"])
def test_a_name_is_likened_within_a_budget_however_it_is_made(letters: str) -> None:
    rng = random.Random(3)
    known = [shuffled(rng, letters) for _ in range(300)]
    with counting() as alone:
        nearest(shuffled(rng, letters), known * 10)
    with counting() as together:
        assert bounded(lambda: [nearest(shuffled(rng, letters), known) for _ in range(300)])()[-1] == ""
    assert 0 < sum(alone) <= MOST_LETTERS and 0 < sum(together) <= MOST_LETTERS


def test_pairs_that_are_no_match_at_a_glance_are_counted_too() -> None:
    asked: list[str] = []

    def known() -> Iterator[str]:
        for number in range(MOST_WORK):
            asked.append("")
            yield f"{number}"

    bounded(lambda: [nearest("a" * 100, known()) for _ in range(50)])()
    assert len(asked) <= MOST_WORK // likeness.PER_PAIR + 50


def test_a_long_name_is_cut_and_a_budget_begins_anew_with_the_next_call() -> None:
    assert nearest("x" * 1_000_000 + "y", ["x" * 100]) == "x" * 100
    spend = bounded(
        lambda: [nearest("ab" * 50, ["aabb" * 25] * 1_000) for _ in range(10)] and nearest("ordr", ["order"])
    )
    assert spend() == "" and nearest("ordr", ["order"]) == "order" and queues.meant("agent", {"agents": 1}) == "agents"


def test_keys_of_a_start_are_likened_within_the_budget() -> None:
    rng = random.Random(3)
    own, given = ({shuffled(rng): value for _ in range(120)} for value in (None, 1))
    with counting() as looked:
        misnamed(own, given)
    assert 0 < sum(looked) <= MOST_LETTERS
