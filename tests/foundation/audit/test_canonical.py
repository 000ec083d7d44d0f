"""One spelling for each value: whatever order, spacing or database it comes from."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from foundation.canonical_json import Link, canonical, moment, settled

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
links = st.builds(
    Link, chain=texts, seq=st.integers(1, 2**31), at=moments, actor=texts, door=texts, action=texts, note=texts,
    data=values, prev_hash=texts,
)  # fmt: skip


@given(values)
def test_it_says_the_value_and_nothing_else(value: Any) -> None:
    assert json.loads(canonical(value)) == settled(value) == value


@given(values)
def test_it_outlives_any_other_spelling_of_the_same_value(value: Any) -> None:
    spaced = json.dumps(settled(value), indent=2, ensure_ascii=False)
    assert canonical(json.loads(spaced)) == canonical(value)


@given(st.dictionaries(texts, values, max_size=5), st.randoms())
def test_the_order_of_keys_says_nothing(value: dict[str, Any], random: Any) -> None:
    keys = list(value)
    random.shuffle(keys)
    assert canonical({key: value[key] for key in keys}) == canonical(value)


@given(values, values)
def test_two_values_share_a_spelling_only_when_they_are_equal(one: Any, other: Any) -> None:
    if canonical(one) == canonical(other):
        assert one == other


def test_the_spelling_is_the_one_of_the_docs() -> None:
    value = {"ß": [1.0, 2.5, True, None], "a": {"z": 10**20, "b": '\n"é'}}
    assert canonical(value) == b'{"a":{"b":"\\n\\"\\u00e9","z":100000000000000000000},"\\u00df":[1,2.5,true,null]}'


@given(links, links)
def test_rows_share_a_hash_only_when_they_are_equal(one: Link, other: Link) -> None:
    if one.hash() == other.hash():
        assert one.as_dict() == other.as_dict()


@given(links, st.sampled_from(["chain", "actor", "door", "action", "note", "prev_hash"]), texts)
def test_every_field_of_a_row_counts(link: Link, name: str, other: str) -> None:
    plain = link.as_dict()
    changed = {**plain, name: other}
    assert (canonical(changed) == canonical(plain)) == (plain[name] == other)


@given(moments, st.integers(-12, 12))
def test_a_moment_is_told_in_utc_to_the_microsecond(at: datetime, hours: int) -> None:
    elsewhere = at.astimezone(timezone(timedelta(hours=hours)))
    assert moment(elsewhere) == moment(at) and len(moment(at)) == 27
    assert datetime.fromisoformat(moment(at)) == at
