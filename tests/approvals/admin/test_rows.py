"""Policies, delegations and callbacks over the admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import Delegation, Policy
from foundation.clock import now
from foundation.models import AuditEvent
from notifications.models import Callback, Endpoint
from notifications.webhooks import call_back, endpoint_for
from tests.approvals.admin import scenes
from tests.approvals.admin.test_doors import client_of
from tests.orchestration.admin.visitor import person
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = "/admin/approvals"
POLICY = """policy: deployment
description: Two peers, then the leads.
stages:
  - name: peers
    who: {groups: [approver]}
    how_many: 2
    expire: 1d
    escalate: [{after: 4h, to: {users: [bob]}}]
"""


@pytest.fixture(autouse=True)
def people() -> None:
    for role in ("viewer", "operator", "approver", "administrator"):
        person(role)
    account("bob")


def test_a_policy_is_checked_published_and_says_whom_it_reaches() -> None:
    client, add = client_of("administrator"), f"{PAGES}/policy/add/"
    assert "policy: deployment" in client.get(add).content.decode(), "an example to begin with"
    wrong = client.post(add, {"text": POLICY.replace("1d", "soon").replace("who:", "whom:"), "publish": "1"})
    shown = wrong.content.decode()
    for problem in ("stages[0].who", "stages[0].whom", "stages[0].expire", "soon"):
        assert problem in shown, problem
    assert not Policy.objects.exists()
    broken = client.post(add, {"text": "policy: [", "check": "1"}).content.decode()
    assert "Not a valid policy" in broken
    checked = client.post(add, {"text": POLICY, "check": "1"}).content.decode()
    assert "deployment: valid, 1 stage" in checked and "approver, bob" in checked and not Policy.objects.exists()
    published = client.post(add, {"text": POLICY, "publish": "1"})
    policy = Policy.objects.get()
    assert published.headers["Location"] == f"{PAGES}/policy/{policy.pk}/change/"
    client.post(add, {"text": POLICY.replace("how_many: 2", "how_many: 1"), "publish": "1"})
    shown = client.get(f"{PAGES}/policy/{policy.pk}/change/").content.decode()
    assert "deployment v2" in shown and "after 4h" in shown and f"?from={policy.pk}" in shown
    assert "how_many: 2" in client.get(f"{add}?from={policy.pk}").content.decode()
    assert AuditEvent.objects.filter(action="policy.publish", door="admin").count() == 2
    User.objects.get(username="bob").delete()
    assert "there is no user &#x27;bob&#x27;" in client.get(f"{PAGES}/policy/{policy.pk}/change/").content.decode()


def test_people_are_named_in_the_order_in_which_their_accounts_were_made() -> None:
    silent = POLICY.replace("groups: [approver]", "groups: [crew]").replace("how_many: 2", "how_many: all")
    for pk, name in ((99_999, "zoe"), (100_000, "adam")):
        User.objects.create_user(name, id=pk)
        account(name, "crew")
    text = silent.replace("expire: 1d", "expire: 1d\n    at_the_end: approve")
    checked = client_of("administrator").post(f"{PAGES}/policy/add/", {"text": text, "check": "1"}).content.decode()
    assert "zoe, adam" in checked and checked.index("zoe (") < checked.index("adam ("), checked


def test_what_single_requests_brought_along_is_in_nobodys_way() -> None:
    own, standard = scenes.asked(), scenes.asked(approvers=(), timeout_seconds=600)
    assert [str(request.policy) for request in (own, standard)] == ["named approvers", "standard"]
    client = client_of("administrator")
    client.post(f"{PAGES}/policy/add/", {"text": POLICY, "publish": "1"})
    for kind, shown in (("", {"deployment"}), ("?kind=private", {"standard", "named-approvers"})):
        page = client.get(f"{PAGES}/policy/{kind}").context["cl"].result_list
        assert {row.name for row in page} == shown
    assert len(client.get(f"{PAGES}/policy/?kind=all").context["cl"].result_list) == 3
    whole = client.get(f"{PAGES}/request/{own.pk}/change/").content.decode()
    assert ">named approvers</a>" in whole.split("<dt>policy</dt>")[1]


def test_publishing_is_for_administrators() -> None:
    for role in ("viewer", "operator", "approver"):
        client = client_of(role)
        assert client.get(f"{PAGES}/policy/").status_code == 200
        assert client.post(f"{PAGES}/policy/add/", {"text": POLICY, "publish": "1"}).status_code == 403
    assert not Policy.objects.exists()


def form_of(**more: object) -> dict[str, object]:
    start = now()
    times = {"starts_at": f"{start:%Y-%m-%dT%H:%M}", "ends_at": f"{start + timedelta(days=3):%Y-%m-%dT%H:%M}"}
    return {"to": User.objects.get(username="bob").pk, "reason": "on holiday", **times, **more}


def test_a_delegation_is_made_for_oneself_and_ended() -> None:
    client, add = client_of("approver"), f"{PAGES}/delegation/add/"
    assert 'name="owner"' not in client.get(add).content.decode()
    wrong = client.post(add, form_of(ends_at="2020-01-01T00:00"))
    assert wrong.status_code == 200 and "it would end before it begins" in wrong.content.decode()
    admin = User.objects.get(username="administrator").pk
    made = client.post(add, form_of(owner=admin))
    rule = Delegation.objects.get()
    assert made.headers["Location"] == f"{PAGES}/delegation/{rule.pk}/change/"
    assert (rule.owner.get_username(), rule.to.get_username(), rule.reason) == ("approver", "bob", "on holiday")
    shown = client.get(f"{PAGES}/delegation/{rule.pk}/change/").content.decode()
    assert "bob decides for approver" in shown and "End it now" in shown
    other = client_of("operator")
    assert "End it now" not in other.get(f"{PAGES}/delegation/{rule.pk}/change/").content.decode()
    other.post(f"{PAGES}/delegation/{rule.pk}/end/")
    client.get(f"{PAGES}/delegation/{rule.pk}/end/")
    assert Delegation.objects.get().ended_at is None, "neither by another nor by looking"
    client.post(f"{PAGES}/delegation/{rule.pk}/end/")
    assert (
        Delegation.objects.get().ended_at is not None and "over" in client.get(f"{PAGES}/delegation/").content.decode()
    )


def test_who_cannot_decide_has_nothing_to_hand_on() -> None:
    for role in ("viewer", "operator"):
        assert client_of(role).post(f"{PAGES}/delegation/add/", form_of()).status_code == 403
    admin = client_of("administrator")
    approver = User.objects.get(username="approver")
    assert 'name="owner"' in admin.get(f"{PAGES}/delegation/add/").content.decode()
    admin.post(f"{PAGES}/delegation/add/", form_of(owner=approver.pk))
    assert Delegation.objects.get().owner == approver


def press(client: Client, kind: str, action: str, pk: int) -> str:
    form = {"action": action, "_selected_action": pk, "index": 0}
    return client.post(f"{PAGES}/{kind}/", form, follow=True).content.decode()


def test_a_dead_callback_is_sent_again() -> None:
    endpoint = endpoint_for("https://hooks.example/zen", "olga")
    row = call_back(endpoint=endpoint, subject="approval:1", event_type="approval.decided", data={"x": "<b>"})
    Callback.objects.filter(pk=row.pk).update(status=Callback.DEAD, attempts=10, last_error="<script>410")
    shown = client_of("viewer").get(f"{PAGES}/callback/?status__exact=dead").content.decode()
    assert "&lt;script&gt;410" in shown and 'value="send_again"' not in shown
    press(client_of("viewer"), "callback", "send_again", row.pk)
    row.refresh_from_db()
    assert row.status == Callback.DEAD
    assert "is sent again" in press(client_of("operator"), "callback", "send_again", row.pk)
    row.refresh_from_db()
    assert (row.status, row.attempts) == (Callback.QUEUED, 0)
    page = client_of("viewer").get(f"{PAGES}/callback/{row.pk}/change/").content.decode()
    assert "&lt;b&gt;" in page and row.webhook_id in page


def test_keys_are_shown_once_and_an_endpoint_is_enabled() -> None:
    endpoint = endpoint_for("https://hooks.example/zen", "olga")
    Endpoint.objects.filter(pk=endpoint.pk).update(disabled_at=now(), disabled_reason="it answered 410")
    assert "is called again" in press(client_of("operator"), "endpoint", "enable_again", endpoint.pk)
    press(client_of("operator"), "endpoint", "rotate_keys", endpoint.pk)
    assert not AuditEvent.objects.filter(action="callback.rotate").exists()
    admin = client_of("administrator")
    assert "whsec_" in press(admin, "endpoint", "rotate_keys", endpoint.pk)
    assert AuditEvent.objects.get(action="callback.rotate").door == "admin"
    row = Endpoint.objects.get()
    for place in (f"{PAGES}/endpoint/", f"{PAGES}/endpoint/{endpoint.pk}/change/"):
        shown = admin.get(place).content.decode()
        assert "whsec_" not in shown and row.hmac_secret not in shown, place
