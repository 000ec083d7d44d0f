"""Whether a pattern is found in a text, in time that grows with the text and no faster.

A pattern means what Python's `re` means by it, and is searched by Rust's engine, which never goes back in a text. What
that engine does not know (look-around, back-references) or reads in another way is searched with `re`: definitions
stored before such patterns were refused still have them. Three things still differ: `\\b` and `\\B` count marks
and joiners (U+0301, U+200D) as parts of a word and numerals such as `²` and `½` as none, and `\\B` is found in an empty
text; under `(?i)`, `i` is neither U+0131 nor U+0130; and characters that Unicode got after the Python in use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from pydantic_core import SchemaError, SchemaValidator, core_schema

from foundation.validation.kept_patterns import KeptPatterns
from foundation.validation.pattern_size import LOOK_SIZE, expanded_size, flags_of
from foundation.validation.work_limit import TooCostly, held, is_short_for_re, spend

LONGEST_FOR_RE = 20
"""Characters of a text that is searched by `re` where the cost is bounded."""
LOOKS_OF_A_PATTERN = 5
"""What a pattern costs that was not seen before, beside its size."""
TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?:\d+(?:,\d*)?|,\d*)\}|.", re.DOTALL)
"""An escape, a set of characters, a number of repetitions, or one character."""
PLAIN = {"{": r"\{", r"\<": "<", r"\>": ">"}
"""What stands for itself, as Rust's engine has it written."""
SAME = {r"\w": r"\p{L}\p{N}_", r"\s": r"\s\x1c-\x1f"}
"""What `re` means by an escape, as Rust's engine has it written inside a set; the capital letter is all else."""
SURROGATES = {code: code - 0xD800 + 0xF0000 for code in range(0xD800, 0xE000)}
"""Half characters, which Rust's texts cannot hold, as characters for private use: neither is a letter or a digit."""


def is_found(pattern: str, text: str) -> bool:
    """Whether the pattern is somewhere in the text. Raises: TooCostly, within `work_limit.at_most`."""
    spend(len(text) // 100)
    linear = _linear(pattern)
    if linear is None:
        _refuse_long_texts([text])
        return re.search(pattern, text) is not None
    text = text if text.isascii() else text.translate(SURROGATES)
    before_its_end = text.removesuffix("\n")  # where `$` of `re` matches, too
    return linear.isinstance_python(text) or (before_its_end != text and linear.isinstance_python(before_its_end))


def is_linear(pattern: str) -> bool:
    """Whether it is searched in linear time. Raises: TooCostly, within `work_limit.at_most`."""
    return _linear(pattern) is not None


def size_of_pattern(pattern: str) -> int:
    """About how many characters it is with all repetitions written out. Raises: TooCostly, within `at_most`."""
    spend(len(pattern) // 50)
    return expanded_size(TOKEN.findall(pattern))


def _refuse_long_texts(texts: Iterable[str]) -> None:
    if is_short_for_re() and any(len(text) > LONGEST_FOR_RE for text in texts):
        raise TooCostly


_kept = KeptPatterns()


def _linear(pattern: str) -> SchemaValidator | None:
    """None: the linear engine does not know it, or reads it in another way. It costs the same if it is kept."""
    paid: KeptPatterns = held().setdefault("patterns", KeptPatterns())
    if (again := paid.find(pattern)) is not None:
        return again[0]
    size = size_of_pattern(pattern)
    spend(LOOKS_OF_A_PATTERN + size // LOOK_SIZE)
    kept = _kept.find(pattern)
    found = kept[0] if kept is not None else _compiled(pattern)
    _kept.keep(pattern, found, size)
    paid.keep(pattern, found, size)
    return found


def _compiled(pattern: str) -> SchemaValidator | None:
    rewritten = _for_rust(TOKEN.findall(pattern))
    if rewritten is None:
        return None
    schema = core_schema.str_schema(pattern=rewritten.translate(SURROGATES), regex_engine="rust-regex")
    try:
        return SchemaValidator(schema)
    except SchemaError:
        return None


def _for_rust(tokens: list[str]) -> str | None:
    """The pattern, so written that Rust's engine reads it as `re` does; None where that cannot be."""
    of_lines = re.match(r"\(\?[a-z]*m[a-z]*\)", "".join(tokens)) is not None
    if "x" in flags_of(tokens) or not (of_lines or _ends_are_last(tokens)):
        return None
    for one, after in pairwise([*tokens, ""]):
        repeats = one in ("*", "+", "?") or (one[0] == "{" and len(one) > 1)
        if (repeats and after == "+") or (_is_set(one) and "--" in re.sub(r"\\.", "", one)):
            return None
    return "".join(_plain_set(one) if _is_set(one) else PLAIN.get(one) or _escape(one) for one in tokens)


def _ends_are_last(tokens: list[str]) -> bool:
    """Whether nothing is asked for behind a `$`, which in `re` matches before a last line feed, too."""
    ended = [False]  # for each group that is open: whether a `$` stands in the way that is being read
    closed = [False]  # and in any of its ways
    behind = False  # the group that has just been closed ends with a `$`
    for one in tokens:
        if one == "(":
            ended.append(ended[-1])
            closed.append(False)
        elif one == ")" and len(ended) > 1:
            ended.pop()
            behind = closed.pop()
            ended[-1] = ended[-1] or behind
            closed[-1] = closed[-1] or behind
            continue
        elif one == "|":
            ended[-1] = len(ended) > 1 and ended[-2]
        elif one == "$":
            ended[-1] = closed[-1] = True
        elif ended[-1] and not (behind and one == "?"):
            return False
        behind = False
    return True


def _is_set(one: str) -> bool:
    return len(one) > 1 and one[0] == "["


def _escape(one: str, *, within: bool = False) -> str:
    """With the same meaning as in `re`, on its own or within a set."""
    inside = SAME.get(one.lower())
    if inside is None:
        return one
    negated = one[1].isupper()
    return inside if within and not negated else f"[{'^' if negated else ''}{inside}]"


def _plain_set(one: str) -> str:
    """A set without sets inside: `[`, `&` and `~` stand for themselves."""
    parts = re.findall(r"\\.|.", one[1:], re.DOTALL)
    return "[" + "".join(f"\\{one}" if one in ("[", "&", "~") else _escape(one, within=True) for one in parts)
