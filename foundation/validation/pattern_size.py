"""How large a pattern becomes when Rust's engine compiles it: known before it is compiled, from its text alone."""

from __future__ import annotations

import re

LOOK_SIZE = 45
"""Of the size below, what compiling takes one look for."""
LARGEST_COUNTED = 250_000
"""No pattern is counted as more: the engine gives up soon after."""
REPEATED = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")
ESCAPES = {"w": 1200, "W": 1200, "d": 150, "D": 150, "s": 60, "S": 60, "b": 50, "B": 50}
ANY, CHARACTER, ANY_CASE, SET, WIDE_SET, FOLDED_SET = 40, 1, 70, 5, 70, 4000
"""The last: a set beyond ASCII where case does not matter, once, however often it is repeated."""


def expanded_size(tokens: list[str]) -> int:
    """About how many characters it is with all its repetitions written out; 10 MB of memory are 90,000 of them.

    `tokens`: as `foundation.validation.patterns.TOKEN` finds them.
    """
    any_case = "i" in flags_of(tokens)
    groups, last, folded = [0], 0, 0
    for one in tokens:
        if one == "(":
            groups.append(CHARACTER)
            last = 0
            continue
        if one == ")" and len(groups) > 1:
            last = groups.pop()
        elif (times := _times(one)) is not None:
            groups[-1] -= last
            last = min(last * times, LARGEST_COUNTED)
        else:
            last = _size(one, any_case)
            folded += FOLDED_SET if any_case and _is_wide(one) else 0
        groups[-1] = min(groups[-1] + last, LARGEST_COUNTED)
    return min(sum(groups) + folded, LARGEST_COUNTED)


def flags_of(tokens: list[str]) -> set[str]:
    """The letters of all flags in it, such as `i` of `(?i)`."""
    found = re.findall(r"(?:^|\n)\(\n\?((?:\n[a-zA-Z])+)\n[):-]", "\n".join(tokens))
    return {letter for letters in found for letter in letters if letter != "\n"}


def _times(one: str) -> int | None:
    """How often a repetition writes out what it follows; None where the one is none."""
    if one in ("*", "+", "?"):
        return 1
    if one[0] != "{" or len(one) == 1 or (found := REPEATED.fullmatch(one)) is None:
        return None
    least, comma, most = found.groups()
    return max(1, int((most or least or "0")[:9])) + (1 if comma and not most else 0)


def _size(one: str, any_case: bool) -> int:
    if len(one) > 1 and one[0] == "[":
        return _size_of_set(one, any_case)
    if one == ".":
        return ANY
    if one[0] == "\\" and one[1:] in ESCAPES:
        return ESCAPES[one[1:]]
    return ANY_CASE if any_case else CHARACTER if one.isascii() else 3 * CHARACTER


def _is_wide(one: str) -> bool:
    return one[0] == "[" and (not one.isascii() or re.search(r"\\[xuUN0-7]", one) is not None)


def _size_of_set(one: str, any_case: bool) -> int:
    escapes = sum(ESCAPES.get(name, 0) for name in re.findall(r"\\(.)", one))
    if one.startswith("[^") or _is_wide(one):
        return escapes + WIDE_SET + 3 * len(one)
    return escapes + (ANY_CASE if any_case else SET) + len(one)
