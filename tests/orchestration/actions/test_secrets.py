"""A secret is used by the effect and is nowhere else. tests/system/contract/test_secrets.py searches whole runs."""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pytest_django import Settings

from foundation.secrets import store
from foundation.secrets.redaction import Broke, RedactingFilter, head, redact
from orchestration.actions.base import Call
from orchestration.core.definition import DefinitionErrors, validate_action
from orchestration.core.enums import Outcome
from orchestration.execution import action_table
from orchestration.execution.perform import perform
from tests.support.peer import Peer

VALUE = "s3cr3t/Value+42\"é'"
Build = Callable[..., Call]


@pytest.fixture
def known(settings: Settings) -> None:
    settings.ZEN_SECRETS = {"TOKEN": VALUE}


# --- where they come from --------------------------------------------------------------------------------------------


def test_a_file_gives_a_secret_without_its_last_newline(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "TOKEN").write_text("from-a-file\n\n")
    settings.ZEN_SECRETS, settings.ZEN_SECRETS_DIR = {}, str(tmp_path)
    assert store.secret("TOKEN") == "from-a-file\n"


def test_a_missing_secret_fails_cleanly_and_names_both_remedies(call: Build, settings: Settings) -> None:
    settings.ZEN_SECRETS = {}
    result = perform(call(type="api_call", url="http://x/", headers={"A": "{secret:NONE}"}))
    assert result.outcome is Outcome.FAILED
    assert "ZEN_SECRET_NONE" in result.error and "ZEN_SECRETS_DIR" in result.error


def test_a_secret_too_short_to_be_told_from_other_text_is_refused(call: Build, settings: Settings) -> None:
    settings.ZEN_SECRETS = {"PIN": "123", "NONE": ""}
    for name in settings.ZEN_SECRETS:
        result = perform(call(type="api_call", url="http://x/", headers={"A": f"{{secret:{name}}}"}))
        assert result.outcome is Outcome.FAILED and "fewer than 4" in result.error and "123" not in result.error
    assert redact(["", 123]) == ["", 123]


# --- where they do not go --------------------------------------------------------------------------------------------


def test_a_childs_definition_and_context_keep_their_references(known: None) -> None:
    child: dict[str, Any] = {
        "type": "saga",
        "definition": {"a": ["{secret:TOKEN}"]},
        "context": {"b": "{secret:TOKEN}"},
    }
    assert store.resolve_action(child) == child


def test_a_scripts_text_is_no_place_for_a_secret(known: None) -> None:
    script = {"type": "script", "script": "echo {secret:TOKEN}", "env": {"T": "{secret:TOKEN}"}}
    assert store.resolve_action(script) == {**script, "env": {"T": VALUE}}
    with pytest.raises(DefinitionErrors, match="pass it by `env`"):
        validate_action(script)


# --- how they are found again ----------------------------------------------------------------------------------------


def inside(encode: Callable[[bytes], bytes], before: str, after: str) -> str:
    return encode(f"{before}{VALUE}{after}".encode()).decode()


@pytest.mark.parametrize(
    "spelling",
    [
        VALUE,
        quote(VALUE, safe=""),
        quote(VALUE, safe="").lower().replace("s3cr3t%2fvalue", "s3cr3t%2fValue"),
        quote(quote(VALUE, safe=""), safe=""),
        json.dumps(VALUE)[1:-1],
        json.dumps(json.dumps(VALUE))[3:-3],
        repr(VALUE.encode()),
        VALUE.replace("/", "\\/"),
        VALUE.encode().hex(),
        VALUE.replace('"', "&quot;").replace("'", "&#x27;"),
        *(inside(base64.b64encode, before, after) for before in ("", "u:", "me:") for after in ("", "!")),
        *(inside(base64.urlsafe_b64encode, before, "") for before in ("", "u:", "me:")),
    ],
)  # fmt: skip
def test_every_spelling_is_found_though_nobody_used_the_secret_yet(known: None, spelling: str) -> None:
    kept = redact({"a": [f"x {spelling} y"], spelling: 1})
    assert "s3cr3t" not in str(kept) and "Value" not in str(kept)
    assert "[redacted]" in redact(f"x{spelling}y") and "[redacted]" in next(iter(redact({spelling: 1})))


def test_a_number_and_the_parts_of_a_secret_url_are_found(settings: Settings) -> None:
    settings.ZEN_SECRETS = {
        "CODE": "918273",
        "HOOK": "https://hooks.example/services/T0001/B0002/abcdef?key=query-part",
        "KEY": "-----BEGIN-----\nline-one-of-the-key\nline-two-of-the-key\n",
    }
    told = redact([918273, "/services/T0001/B0002/abcdef/", "key=query-part", "got line-two-of-the-key."])
    assert told == ["[redacted]", "/[redacted]/", "[redacted]", "got [redacted]."]
    assert redact({"host": "hooks.example", "n": 9182731}) == {"host": "hooks.example", "n": 9182731}


def test_a_secret_in_a_file_is_known_before_and_after_it_changes(settings: Settings, tmp_path: Path) -> None:
    settings.ZEN_SECRETS, settings.ZEN_SECRETS_DIR = {}, str(tmp_path)
    (tmp_path / "TOKEN").write_text("old-value-1")
    assert redact("old-value-1") == "[redacted]"
    store.secret("TOKEN")
    (tmp_path / "NEXT").write_text("new-value-2")
    (tmp_path / "NEXT").rename(tmp_path / "TOKEN")
    os.utime(tmp_path, ns=(1, 1))
    assert redact("old-value-1 new-value-2") == "[redacted] [redacted]"


def test_nothing_known_costs_nothing(settings: Settings) -> None:
    settings.ZEN_SECRETS, settings.ZEN_SECRETS_DIR = {"A": "nothing-like-it"}, ""
    value = {"a": [1, "x"]}
    assert redact(value) is value


def test_a_text_is_redacted_before_it_is_cut(known: None) -> None:
    text = "x" * 95 + VALUE + "y" * 95
    assert head(text, 100) == "x" * 95 + "[reda"
    cut = "x" * 1000 + VALUE[:9]
    assert "s3cr" not in head(cut, 2000, is_whole=False) and head(cut, 100, is_whole=False) == "x" * 100


@pytest.mark.parametrize("around", range(280, 300))
def test_the_excerpt_of_a_refusal_never_ends_inside_a_secret(known: None, call: Build, peer: Peer, around: int) -> None:
    peer.say("/x", 400, body=(("x" * around) + VALUE + ("y" * 100)).encode())
    error = perform(call(type="api_call", url=f"{peer.url}/x")).error
    assert "400" in error and "s3c" not in error


def test_the_log_is_redacted(known: None) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "token %s", (VALUE,), None)
    RedactingFilter().filter(record)
    assert record.getMessage() == "token [redacted]"


def test_a_log_call_that_is_wrong_is_redacted_too(known: None) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "token %d %d", (VALUE,), None)
    assert RedactingFilter().filter(record)
    assert "s3cr3t" not in record.getMessage()


def test_a_fault_of_our_own_does_not_tell_either(known: None, call: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """An action that breaks in a way that nobody foresaw, with the secret in its words and in those of its cause."""

    def broken(call: Call) -> Any:
        try:
            raise ValueError(f"could not send {call.action['token']}")
        except ValueError as error:
            raise RuntimeError("while sending") from error

    monkeypatch.setitem(action_table.ACTIONS, "broken", broken)
    with pytest.raises(Broke) as caught:
        perform(call(type="broken", token="{secret:TOKEN}"))
    assert "RuntimeError: while sending" in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    with pytest.raises(RuntimeError):
        perform(call(type="broken", token="nothing to hide"))
