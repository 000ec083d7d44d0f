"""What we sign is verified by others: the package of the standard, and cryptography."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management.utils import get_random_secret_key
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from foundation.clock import now
from foundation.errors import BadInput, NotAllowed
from notifications.models import Endpoint
from notifications.webhooks import rotate
from notifications.webhooks.keys import BOTH_VALID
from notifications.webhooks.signatures import new_hmac_secret, new_key_pair, signature
from tests.notifications.webhooks.scenes import ADMIN, OPERATOR, attempted, endpoint_at, queued
from tests.support.peer import Peer, Request

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
pytestmark = pytest.mark.django_db(transaction=True)


def verified(secret: str, request: Request) -> object:
    return Webhook(secret).verify(request.body, request.headers)


def is_signed_by(public_key: str, request: Request) -> bool:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    message = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{request.body}".encode()
    for entry in request.headers["webhook-signature"].split(" "):
        version, _, value = entry.partition(",")
        if version == "v1a":
            try:
                key.verify(base64.b64decode(value), message)
            except InvalidSignature:
                continue
            return True
    return False


def test_both_kinds_of_signature_hold(receiver: Peer) -> None:
    endpoint = endpoint_at(receiver)
    attempted(queued(endpoint, answer="yes", who="Zoë"))
    (request,) = receiver.seen
    body = verified(endpoint.shown_once, request)
    assert isinstance(body, dict) and body["data"] == {"answer": "yes", "who": "Zoë"}
    assert (body["type"], body["subject"]) == ("approval.decided", "approval:17") and body["sequence"] > 0
    assert is_signed_by(endpoint.public_key, request)
    assert request.headers["content-type"] == "application/json"


def test_a_stranger_s_secret_does_not_verify_it(receiver: Peer) -> None:
    endpoint = endpoint_at(receiver)
    attempted(queued(endpoint))
    with pytest.raises(WebhookVerificationError):
        verified(new_hmac_secret(), receiver.seen[0])
    assert not is_signed_by(new_key_pair()[1], receiver.seen[0])


@pytest.mark.parametrize(("signing", "versions"), [("hmac", {"v1"}), ("ed25519", {"v1a"}), ("both", {"v1", "v1a"})])
def test_an_endpoint_has_the_kinds_of_keys_that_it_asked_for(receiver: Peer, signing: str, versions: set[str]) -> None:
    endpoint = endpoint_at(receiver, signing=signing)
    attempted(queued(endpoint))
    entries = receiver.seen[0].headers["webhook-signature"].split(" ")
    assert {entry.split(",")[0] for entry in entries} == versions and len(entries) == len(versions)
    assert bool(endpoint.public_key) == ("v1a" in versions)


@given(body=texts, other=texts)
def test_any_body_verifies_and_no_other_one_does(body: str, other: str) -> None:
    secret, at = new_hmac_secret(), int(now().timestamp())
    sent, altered = json.dumps(body, ensure_ascii=False), json.dumps(other, ensure_ascii=False)
    header = signature(webhook_id="msg_1", timestamp=at, body=sent.encode(), keys=[new_hmac_secret(), secret])
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": header}
    assert Webhook(secret).verify(sent, headers) == body
    if altered != sent:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(altered, headers)


def test_after_a_rotation_both_secrets_hold_for_a_day_and_then_the_new_one(receiver: Peer) -> None:
    old = endpoint_at(receiver)
    callback = queued(old)
    new = rotate(old, actor=ADMIN)
    assert new.shown_once.startswith("whsec_") and new.shown_once != old.shown_once
    attempted(callback)
    (during,) = receiver.seen
    assert verified(old.shown_once, during) == verified(new.shown_once, during)
    assert is_signed_by(old.public_key, during) and is_signed_by(new.public_key, during)
    Endpoint.objects.filter(pk=old.pk).update(previous_until=now() - timedelta(seconds=1))
    attempted(queued(old))
    after = receiver.seen[-1]
    verified(new.shown_once, after)
    with pytest.raises(WebhookVerificationError):
        verified(old.shown_once, after)
    assert not is_signed_by(old.public_key, after)
    assert new.previous_until is not None and new.previous_until - now() <= BOTH_VALID


def test_only_administrators_rotate(receiver: Peer) -> None:
    endpoint = endpoint_at(receiver)
    with pytest.raises(NotAllowed):
        rotate(endpoint, actor=OPERATOR)
    assert Endpoint.objects.get().previous_until is None


def test_secrets_are_encrypted_where_they_lie_and_shown_once(receiver: Peer) -> None:
    endpoint = endpoint_at(receiver)
    secret = endpoint.shown_once
    row = Endpoint.objects.values().get()
    assert secret.startswith("whsec_") and secret.removeprefix("whsec_") not in str(row)
    assert "whsk_" not in str(row) and "whpk_" in row["public_key"]
    assert endpoint_at(receiver).shown_once == Endpoint.objects.get().shown_once == ""


def test_a_changed_secret_key_fails_the_attempt_in_words_and_the_old_one_mends_it(
    receiver: Peer, settings: Settings
) -> None:
    endpoint = endpoint_at(receiver)
    old, settings.SECRET_KEY = settings.SECRET_KEY, get_random_secret_key()
    callback = attempted(queued(endpoint))
    assert callback.status == "queued" and "secret key was changed" in callback.last_error and not receiver.seen
    settings.SECRET_KEY_FALLBACKS = [old]
    assert attempted(callback).status == "delivered"
    verified(endpoint.shown_once, receiver.seen[0])


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_may_be_brought_along(receiver: Peer, size: int) -> None:
    secret = "whsec_" + base64.b64encode(b"s" * size).decode()
    attempted(queued(endpoint_at(receiver, secret=secret)))
    verified(secret, receiver.seen[0])


@pytest.mark.parametrize("secret", ["whsec_" + base64.b64encode(b"s" * n).decode() for n in (0, 23, 65)] + ["plain"])
def test_a_weak_secret_is_refused_and_not_repeated(receiver: Peer, secret: str) -> None:
    with pytest.raises(BadInput, match="24 to 64 bytes") as refusal:
        endpoint_at(receiver, secret=secret)
    assert refusal.value.field == "secret" and (secret == "whsec_" or secret not in str(refusal.value))
    assert not Endpoint.objects.exists()
