"""A limit to work, counted in looks: what strangers wrote is looked at no longer than is allowed.

Looks are counted, not seconds, so that the same input is judged alike on every machine. One is about 20 µs. Levels are
counted, too: near the interpreter's own limit a library that is not in Python ends with an error that no `except
Exception` catches.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class TooCostly(Exception):
    """The looks that were allowed are used up."""


class TooDeep(Exception):
    """More levels inside each other than may be."""


MOST_LEVELS = 150
"""Keywords of a schema that may be looked at inside each other; fewer where the caller's stack is deep already."""
FRAMES_OF_A_LEVEL, FRAMES_TO_SPARE = 5, 50

_allowed = threading.local()


@contextmanager
def at_most(looks: int, *, short_for_re: bool = False) -> Iterator[None]:
    """All that is validated inside may together spend so many looks. Within another `at_most` it changes nothing.

    `short_for_re`: search no long text with `re` (`foundation.validation.patterns`).
    """
    if getattr(_allowed, "left", None) is not None:
        yield
        return
    _allowed.left, _allowed.short_for_re, _allowed.held = looks, short_for_re, {}
    _allowed.levels = min(MOST_LEVELS, (_frames_left() - FRAMES_TO_SPARE) // FRAMES_OF_A_LEVEL)
    try:
        yield
    finally:
        _allowed.left, _allowed.short_for_re, _allowed.held, _allowed.levels = None, False, {}, MOST_LEVELS


def _frames_left() -> int:
    frame, used = sys._getframe(), 0  # noqa: SLF001 - the one way to learn how deep the stack is
    while (above := frame.f_back) is not None:
        frame, used = above, used + 1
    return sys.getrecursionlimit() - used


@contextmanager
def one_level_down() -> Iterator[None]:
    """What is looked at inside stands one level deeper. Raises: TooDeep."""
    left = getattr(_allowed, "levels", MOST_LEVELS)
    if left <= 0:
        raise TooDeep
    _allowed.levels = left - 1
    try:
        yield
    finally:
        _allowed.levels = left


def unspent() -> int | None:
    """How many looks may still be spent; None outside of `at_most`."""
    left: int | None = getattr(_allowed, "left", None)
    return left


def held() -> dict[str, Any]:
    """What the innermost caller's `at_most` has paid for already, kept until it ends; outside of one, nothing is."""
    found: dict[str, Any] = getattr(_allowed, "held", {})
    return found if unspent() is not None else {}


def spend(looks: int) -> None:
    """Count these looks. Nothing is counted outside of `at_most`.

    Raises: TooCostly, when more are spent than the innermost caller's limit allows.
    """
    left = unspent()
    if left is None:
        return
    _allowed.left = left - looks
    if left < looks:
        raise TooCostly


def is_short_for_re() -> bool:
    """Whether no long text may be searched with `re` here."""
    return bool(getattr(_allowed, "short_for_re", False))


def values_of(value: object) -> Iterator[object]:
    """All values that a JSON value is made of, itself among them, however deep."""
    todo = [value]
    while todo:
        yield (item := todo.pop())
        if isinstance(item, Mapping):
            todo += item.values()
        elif isinstance(item, list | tuple):
            todo += item


def size_of(value: object) -> int:
    """How many they are."""
    return sum(1 for _ in values_of(value))
