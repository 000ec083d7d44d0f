"""The admin: administrators make channels, others look; dead letters are sent again; links stay hidden."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from foundation.models import AuditEvent
from notifications.delivery.worker import deliver_due
from notifications.models import Channel, Contact, Delivery, Notice
from tests.notifications.scenes import asked, only, person, slack_people, webhook
from tests.notifications.slack_api import SlackApi
from tests.orchestration.admin.visitor import person as visitor
from tests.support.peer import Peer

pytestmark = pytest.mark.django_db
AT = "/admin/notifications/"
LINK = "https://zen.test/a/17?token=only-for-ada"
CHANNEL = {"name": "email://devops@company.com", "kind": "email", "target": "", "token": "", "enabled": "on"}


def log_in(role: str) -> tuple[Client, User]:
    who, client = visitor(role), Client()
    client.force_login(who)
    return client, who


def act(client: Client, place: str, action: str, *rows: Channel | Delivery) -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(f"{AT}{place}/", data, follow=True).content.decode()


def test_an_administrator_makes_a_channel_and_it_is_in_the_audit() -> None:
    client, _ = log_in("administrator")
    assert client.post(f"{AT}channel/add/", CHANNEL).status_code == 302
    channel = Channel.objects.get()
    assert (channel.name, channel.target) == ("email://devops@company.com", "devops@company.com")
    event = AuditEvent.objects.get(action="channel.make")
    assert (event.actor, event.door, event.data["channel"]) == ("administrator", "admin", channel.name)
    client.post(f"{AT}channel/{channel.pk}/change/", CHANNEL | {"target": "ops@company.com", "enabled": ""})
    channel.refresh_from_db()
    assert (channel.target, channel.enabled) == ("ops@company.com", False)
    assert AuditEvent.objects.filter(action="channel.change").count() == 1
    client.post(f"{AT}channel/{channel.pk}/delete/", {"post": "yes"})
    assert not Channel.objects.exists() and AuditEvent.objects.filter(action="channel.delete").count() == 1


def test_a_wrong_channel_is_refused_on_the_form() -> None:
    client, _ = log_in("administrator")
    wrong = {"name": "slack://ops", "kind": "slack", "target": "#ops", "token": "xoxb-plain", "enabled": "on"}
    answer = client.post(f"{AT}channel/add/", wrong)
    assert answer.status_code == 200 and "never stored here" in answer.content.decode()
    assert not Channel.objects.exists() and not AuditEvent.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
def test_others_look_and_change_nothing(role: str, receiver: Peer) -> None:
    client, _ = log_in(role)
    channel = webhook(receiver)
    assert client.get(f"{AT}channel/{channel.pk}/change/").status_code == 200
    assert client.post(f"{AT}channel/add/", CHANNEL).status_code == 403
    assert client.post(f"{AT}channel/{channel.pk}/change/", CHANNEL).status_code == 403
    assert client.post(f"{AT}channel/{channel.pk}/delete/", {"post": "yes"}).status_code == 403
    act(client, "channel", "test_message", channel)
    assert list(Channel.objects.values_list("name", flat=True)) == ["webhook://ops"] and not Notice.objects.exists()


def test_nobody_without_a_role_sees_anything() -> None:
    client, _ = log_in("")
    for place in ("channel", "contact", "notice", "delivery"):
        assert client.get(f"{AT}{place}/").status_code == 403


def test_a_test_message_goes_out(receiver: Peer) -> None:
    client, _ = log_in("administrator")
    channel = webhook(receiver)
    assert "a message is on its way" in act(client, "channel", "test_message", channel)
    deliver_due()
    assert "webhook://ops works" in receiver.seen[0].body
    channel.refresh_from_db()
    assert channel.last_ok_at is not None
    assert AuditEvent.objects.get(action="channel.test").actor == "administrator"


def test_a_test_of_a_personal_channel_goes_to_who_asks_or_says_what_is_missing(slack: SlackApi) -> None:
    client, who = log_in("administrator")
    channel = slack_people()
    assert "does not reach you" in act(client, "channel", "test_message", channel)
    Contact.objects.create(user=who, slack_id="U0ADA")
    act(client, "channel", "test_message", channel)
    deliver_due()
    assert slack.only["channel"] == "D01"


def test_a_dead_letter_is_found_and_sent_again(receiver: Peer) -> None:
    webhook(receiver)
    receiver.say_once("/ops", 404)
    asked(channels=["webhook://ops"])
    deliver_due()
    viewer, _ = log_in("viewer")
    assert "it answered 404" in viewer.get(f"{AT}delivery/?status__exact=dead").content.decode()
    act(viewer, "delivery", "send_again", only())
    assert only().status == "dead", "a viewer may not"
    operator, _ = log_in("operator")
    assert "it is sent again" in act(operator, "delivery", "send_again", only())
    deliver_due()
    assert only().status == "sent"
    assert "only a dead one is sent again" in act(operator, "delivery", "send_again", only())


def test_a_persons_own_link_is_on_no_page() -> None:
    """Whoever has it may act as that person."""
    client, who = log_in("administrator")
    notice = asked(people=[person(who, LINK)])
    pages = ["delivery/", f"delivery/{only().pk}/change/", "notice/", f"notice/{notice.pk}/change/"]
    for page in pages:
        answer = client.get(f"{AT}{page}")
        assert answer.status_code == 200 and "only-for-ada" not in answer.content.decode()
    assert client.post(f"{AT}delivery/{only().pk}/change/", {"url": "x"}).status_code == 403
    assert client.post(f"{AT}notice/{notice.pk}/delete/", {"post": "yes"}).status_code == 403


def contact_form(**given: str) -> dict[str, str]:
    return {"channels": "[]", "mode": "first", "zone": "UTC", "digest": "at_once", **given}


def test_a_person_keeps_their_own_contact_and_sees_no_others() -> None:
    client, who = log_in("approver")
    other = Contact.objects.create(user=User.objects.create_user("other"), phone="+4915112345678")
    own = Contact.objects.create(user=who)
    shown = client.get(f"{AT}contact/").content.decode()
    assert f"contact/{own.pk}/" in shown and f"contact/{other.pk}/" not in shown
    assert client.get(f"{AT}contact/{other.pk}/change/").status_code == 302
    assert client.get(f"{AT}contact/add/").status_code == 403
    form = contact_form(zone="Europe/Berlin", quiet_from="22:00", quiet_to="07:00", user=str(other.user_id))
    assert client.post(f"{AT}contact/{own.pk}/change/", form).status_code == 302
    own.refresh_from_db()
    assert (own.zone, str(own.quiet_to), own.user) == ("Europe/Berlin", "07:00:00", who)
    event = AuditEvent.objects.get(action="contact.change")
    assert event.data["user"] == "approver" and {"quiet_from", "quiet_to", "zone"} <= set(event.data["fields"])


def test_a_person_makes_their_own_contact_and_one_only() -> None:
    client, who = log_in("approver")
    other = User.objects.create_user("other")
    page = client.get(f"{AT}contact/add/").content.decode()
    assert 'name="user"' not in page and 'name="slack_id"' not in page
    form = contact_form(zone="Europe/Berlin", user=str(other.pk), slack_id="U0123456789")
    assert client.post(f"{AT}contact/add/", form).status_code == 302
    made = Contact.objects.get()
    assert (made.user, made.zone, made.slack_id) == (who, "Europe/Berlin", "")
    assert client.get(f"{AT}contact/add/").status_code == 403


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"zone": "Berlin"}, "Europe/Berlin"),
        ({"phone": "0151 123"}, "+4915112345678"),
        ({"slack_id": "@ada"}, "U0123456789"),
        ({"quiet_from": "22:00"}, "both ends"),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "mute the contact"),
        ({"channels": '["slack://nowhere"]'}, "no personal channel"),
        ({"channels": '{"a": 1}'}, "a list of names"),
    ],
)
def test_a_wrong_contact_is_refused_on_the_form(wrong: dict[str, str], says: str) -> None:
    client, who = log_in("administrator")
    contact = Contact.objects.create(user=who)
    answer = client.post(f"{AT}contact/{contact.pk}/change/", contact_form(**wrong))
    assert answer.status_code == 200 and says in answer.content.decode()


def test_a_slack_id_is_in_one_contact_alone() -> None:
    client, who = log_in("administrator")
    other = Contact.objects.create(user=User.objects.create_user("other"), slack_id="U0ADA")
    own = Contact.objects.create(user=who)
    answer = client.post(f"{AT}contact/{own.pk}/change/", contact_form(slack_id="U0ADA"))
    assert answer.context["adminform"].form.errors == {
        "slack_id": ["it is in the contact of other already; empty it there first"]
    }
    assert client.post(f"{AT}contact/{other.pk}/change/", contact_form(slack_id="U0ADA")).status_code == 302
    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.filter(pk=own.pk).update(slack_id="U0ADA")


def test_only_an_administrator_says_whose_a_slack_id_is() -> None:
    client, who = log_in("approver")
    own = Contact.objects.create(user=who, slack_id="U0OWN")
    form = contact_form(slack_id="U0BOB", phone="+4915112345678")
    assert client.post(f"{AT}contact/{own.pk}/change/", form).status_code == 302
    own.refresh_from_db()
    assert (own.slack_id, own.phone) == ("U0OWN", "+4915112345678")


@pytest.mark.django_db(transaction=True)
def test_an_id_that_two_had_is_nobodys_after_the_update(caplog: pytest.LogCaptureFixture) -> None:
    def migrated(to: str) -> Any:
        executor = MigrationExecutor(connection)
        return executor.migrate([("notifications", to)]).apps.get_model("notifications", "Contact")

    try:
        migrated("0003_delivery_changes")
        for name, slack_id in (("ann", "U0ADA"), ("bob", "U0ADA"), ("carol", "U0CAROL"), ("dora", "")):
            Contact.objects.create(user=User.objects.create_user(name), slack_id=slack_id)
    finally:
        migrated("0004_one_contact_per_slack_id")
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("notifications"))
    assert dict(Contact.objects.values_list("user__username", "slack_id")) == {
        "ann": "", "bob": "", "carol": "U0CAROL", "dora": "",
    }  # fmt: skip
    assert "U0ADA was in the contacts of ann, bob" in caplog.text
