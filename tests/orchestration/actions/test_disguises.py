"""A secret is masked whatever it was wrapped in on its way back."""

from __future__ import annotations

import base64
import html
import json
import quopri
import textwrap
from collections.abc import Callable
from urllib.parse import quote

import pytest
from pytest_django import Settings

from foundation.secrets.redaction import MASK, redact
from orchestration.execution.perform import perform
from tests.orchestration.actions.test_script import Build

LONG = "sk-live-4f9A/x+Q" * 8
SECRETS = ["hunter2-and-more", "Tr0ub4dor&3 <x>", "pässwörd-größer", LONG]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


DISGUISES: dict[str, Callable[[str], str]] = {
    "base64, wrapped at 76": lambda s: base64.encodebytes(s.encode()).decode(),
    "base64 of a line, wrapped at 20": lambda s: "\n".join(textwrap.wrap(b64(s + "\n"), 20)),
    "base64 inside a text": lambda s: b64(f"user:{s}@host"),
    "fold at 10": lambda s: "\n".join(s[at : at + 10] for at in range(0, len(s), 10)),
    "letters apart": lambda s: " ".join(s),
    "percent of all bytes": lambda s: "".join(f"%{byte:02X}" for byte in s.encode()),
    "percent of all bytes, small": lambda s: "".join(f"%{byte:02x}" for byte in s.encode()),
    "percent twice": lambda s: quote("".join(f"%{byte:02X}" for byte in s.encode())),
    "decimal entities": lambda s: "".join(f"&#{ord(char)};" for char in s),
    "hex entities": lambda s: "".join(f"&#x{ord(char):X};" for char in s),
    "entities": html.escape,
    "u escapes": lambda s: "".join(f"\\u{ord(char):04x}" for char in s),
    "u escapes in braces": lambda s: "".join(f"\\u{{{ord(char):X}}}" for char in s),
    "x escapes": lambda s: "".join(f"\\x{ord(char):02x}" for char in s),
    "upper": str.upper,
    "lower": str.lower,
    "swapped case": str.swapcase,
    "base32": lambda s: base64.b32encode(s.encode()).decode(),
    "base32 inside a text": lambda s: base64.b32encode(f"me:{s}".encode()).decode().lower(),
    "base64 twice": lambda s: b64(b64(s)),
    "base64 twice, wrapped": lambda s: base64.encodebytes(base64.encodebytes(s.encode())).decode(),
    "octal escapes": lambda s: "".join(f"\\{byte:03o}" for byte in s.encode()),
    "quoted printable": lambda s: "".join(f"={byte:02X}" for byte in s.encode()),
    "quoted printable, in lines": lambda s: quopri.encodestring(f"{'x' * 70}{s}é".encode(), quotetabs=True).decode(),
    "UTF-16 as it is printed": lambda s: "\ufffd".join(s),
    "blanks of no width": lambda s: "\u200b".join(s),
    "letters joined by dashes": lambda s: "-".join(s),
    "list of letters": lambda s: ", ".join(map(repr, s)),
    "backwards": lambda s: s[::-1],
    "base64 of UTF-16": lambda s: base64.b64encode(s.encode("utf-16-le")).decode(),
    "base64 of JSON": lambda s: b64(json.dumps({"password": s})),
    "base64 of a form": lambda s: b64(f"grant=x&password={quote(s, safe='')}&z=1"),
    "hex with blanks": lambda s: s.encode().hex(" "),
    "hex, upper, folded": lambda s: "\n".join(textwrap.wrap(s.encode().hex().upper(), 16)),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", DISGUISES)
def test_no_disguise_gets_through(settings: Settings, name: str, secret: str) -> None:
    settings.ZEN_SECRETS = {"TOKEN": secret}
    worn = DISGUISES[name](secret)
    assert worn not in str(redact(f"it was: {worn}"))
    output = {"stdout": worn, "list": [worn, "harmless"], worn: 1}
    told = redact(output)
    assert MASK in told["stdout"] and told["list"][1] == "harmless" and worn not in str(told)


@pytest.mark.parametrize("secret", SECRETS)
def test_the_bytes_of_a_text_as_numbers(settings: Settings, secret: str) -> None:
    settings.ZEN_SECRETS = {"TOKEN": secret}
    told = redact({"type": "Buffer", "data": [*f"me:{secret}".encode()], "sizes": [1, 2, 3, 4, 5, 6, 7, 8, 9]})
    assert told == {"type": "Buffer", "data": MASK, "sizes": [1, 2, 3, 4, 5, 6, 7, 8, 9]}


@pytest.mark.parametrize("text", ["a harmless line\n" * 50, b64("nothing of interest" * 20), "%20%41 &amp; \\u0041"])
def test_what_holds_no_secret_stays_as_it_is(settings: Settings, text: str) -> None:
    settings.ZEN_SECRETS = {f"S{number}": secret for number, secret in enumerate(SECRETS)}
    assert redact(text) == text and redact({"a": [text]}) == {"a": [text]}


@pytest.mark.parametrize("program", ["base64", "fold -w 7", "base32", "base64 | base64", "xxd -p -c 8", "tr a-z A-Z"])
def test_a_script_prints_no_secret_in_disguise(call: Build, allowed: str, settings: Settings, program: str) -> None:
    settings.ZEN_SECRETS = {"TOKEN": LONG}
    text = f'printf %s "$T" | {program}'
    result = perform(call(type="script", script=text, env={"T": "{secret:TOKEN}"}))
    if result.outcome.value == "failed" and "not found" in result.error:
        pytest.skip(f"no {program} here")
    assert isinstance(result.output, dict) and str(result.output["stdout"]).strip() == MASK, result


@pytest.mark.slow
@pytest.mark.parametrize("filler", ["\\", "&#", "%", "=", "= ", " ", "&a"])
def test_what_a_service_answers_costs_no_more_than_its_length(settings: Settings, filler: str) -> None:
    """A megabyte of backslashes took hours."""
    settings.ZEN_SECRETS = {"TOKEN": LONG}
    text = filler * (500_000 // len(filler))
    assert redact(text) == text and redact({"a": text}) == {"a": text}
