"""Names and addresses that are one, and those that are not."""

from __future__ import annotations

import pytest

from foundation.identity.names import folded, is_address, mailbox, same_address

ONE = [
    ("Élise", "élise"),
    ("Élise", "E\u0301LISE"),  # the accent apart
    ("STRASSE", "straße"),
    ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
    ("\uff22en", "ben"),  # a full-width letter
    ("\u212aelvin", "kelvin"),  # the sign of the unit
    ("b\u200ben", "ben"),  # a space of no width
    ("ben\u3164", "ben"),  # a filler, which is a letter
    ("b\ufe0fe\u034fn", "ben"),  # a variation selector, a joiner
]


@pytest.mark.parametrize(("one", "other"), ONE)
def test_names_that_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other) == folded(folded(one))


@pytest.mark.parametrize(("one", "other"), [("ben", "bén"), ("\u0131", "i"), ("ben", "ben2")])
def test_names_that_are_two(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Élise@Example.org", "élise@example.org"),
        ("ben@bücher.example", "ben@xn--bcher-kva.example"),
        ("ben@BÜCHER.example", "ben@XN--BCHER-KVA.example."),
    ],
)
def test_addresses_that_are_one(one: str, other: str) -> None:
    assert same_address(one) == same_address(other) and mailbox(one) == mailbox(other)


@pytest.mark.parametrize(
    ("address", "box"),
    [
        ("Ben+second@example.org", "ben@example.org"),
        ("ben+a+b@example.org", "ben@example.org"),
        ("b.en@example.org", "b.en@example.org"),  # dots count
        ("b.en+x@googlemail.com", "ben@gmail.com"),  # but where they are known not to
        ("+ben@example.org", "+ben@example.org"),
        ("ben@my_host.example", "ben@my_host.example"),
        ('"ben"@example.org', "ben@example.org"),
        ('"b\\en+x"@example.org', "ben@example.org"),
        ('"@example.org', '"@example.org'),
    ],
)
def test_the_mailbox_of_an_address(address: str, box: str) -> None:
    assert mailbox(address) == box


def test_domains_that_only_look_alike_are_two() -> None:
    assert same_address("ben@straße.example") != same_address("ben@strasse.example")


def test_an_address_that_is_too_long_reaches_nobody() -> None:
    assert is_address("eve@example.com") and not is_address("e" * 250 + "@example.com") and not is_address("eve@corp")
