"""`manage.py token`: whoever makes or withdraws one leaves a row in the audit."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from foundation.models import ApiToken, AuditEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_tokens_that_are_made_and_withdrawn_are_audited(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ada", "bob"):
        get_user_model().objects.create_user(name)
    call_command("token", "create", "ada", "--agent", "--owner", "bob", "--name", "bot", "--scope", "run.start")
    token = ApiToken.objects.get()
    secret = capsys.readouterr().out.strip().rpartition("_")[2]
    call_command("token", "revoke", token.prefix)
    made, gone = AuditEvent.objects.filter(workflow_id="tokens").order_by("seq")
    assert (made.action, gone.action, made.door) == ("token.create", "token.revoke", "console")
    assert made.data == gone.data and made.data["prefix"] == token.prefix
    assert (made.data["user"], made.data["owner"], made.data["scopes"]) == ("ada", "bob", ["run.start"])
    assert secret and secret not in str(made.data)
    assert not ApiToken.objects.exists()


def test_nothing_is_audited_where_nothing_was_done() -> None:
    with pytest.raises((CommandError, SystemExit)):
        call_command("token", "revoke", "nosuch")
    with pytest.raises((CommandError, SystemExit)):
        call_command("token", "create", "nobody")
    assert not AuditEvent.objects.exists()
