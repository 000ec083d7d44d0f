"""A secret is used by the effect and is nowhere else."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.core import serializers
from pytest_django import Settings

from orchestration.actions import secrets
from orchestration.actions.base import Call
from orchestration.actions.perform import perform
from orchestration.core.words import Outcome
from orchestration.engines.celery.work import work
from orchestration.services import start_run
from tests.contract.sagas import ADA
from tests.peer import Peer

VALUE = "s3cr3t/Value+42"


@pytest.fixture
def known(settings: Settings) -> None:
    settings.ZEN_SECRETS = {"TOKEN": VALUE}


def test_a_file_gives_a_secret_without_its_last_newline(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "TOKEN").write_text("from-a-file\n\n")
    settings.ZEN_SECRETS, settings.ZEN_SECRETS_DIR = {}, str(tmp_path)
    assert secrets.secret("TOKEN") == "from-a-file\n"


def test_a_missing_secret_fails_cleanly_and_names_both_remedies(call: Callable[..., Call], settings: Settings) -> None:
    settings.ZEN_SECRETS = {}
    result = perform(call(type="api_call", url="http://x/", headers={"A": "{secret:NONE}"}))
    assert result.outcome is Outcome.FAILED
    assert "ZEN_SECRET_NONE" in result.error and "ZEN_SECRETS_DIR" in result.error


@pytest.mark.parametrize(
    "spelling",
    [VALUE, "s3cr3t%2FValue%2B42", base64.b64encode(VALUE.encode()).decode(),
     base64.b64encode(f"user:{VALUE}".encode()).decode(), base64.b64encode(f"me:{VALUE}".encode()).decode()],
)  # fmt: skip
def test_every_spelling_is_redacted(known: None, spelling: str) -> None:
    secrets.secret("TOKEN")
    kept = secrets.redact({"a": [f"x {spelling} y"], spelling: 1})
    assert spelling not in str(kept) and VALUE not in str(kept)


def test_the_log_is_redacted(known: None) -> None:
    secrets.secret("TOKEN")
    record = logging.LogRecord("x", logging.INFO, "f", 1, "token %s", (VALUE,), None)
    secrets.RedactingFilter().filter(record)
    assert VALUE not in record.getMessage()


@pytest.mark.django_db(transaction=True)
def test_no_row_holds_a_secret_even_when_a_service_repeats_it(
    known: None, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    """The peer answers with the path it was called by: as output, and in the error of a refusal."""
    echo = {
        "type": "api_call",
        "method": "POST",
        "url": "{base}/things/{secret:TOKEN}",
        "payload": {"t": "{secret:TOKEN}"},
    }
    caplog.set_level(logging.DEBUG)
    definition = {
        "saga_id": "secretive",
        "context": {"base": peer.url},
        "steps": [
            {"step_id": "a", "forward_action": echo, "compensation_action": {**echo, "method": "DELETE"}},
            {"step_id": "b", "forward_action": {**echo, "expected_status": 299}},
        ],
    }
    run, _ = start_run(definition=definition, actor=ADA, engine="celery")
    work("w")
    run.refresh_from_db()
    assert run.status == "rolled_back" and any(VALUE in body for body in peer.bodies)
    rows = "".join(
        serializers.serialize("json", model._default_manager.all())
        for model in apps.get_app_config("orchestration").get_models()
    )
    assert "redacted" in rows
    for spelling in (VALUE, "s3cr3t%2FValue"):
        assert spelling not in rows and spelling not in caplog.text
