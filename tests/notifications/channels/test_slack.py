"""Slack's API: buttons, changes, limits and refusals."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from foundation.clock import now
from notifications.delivery.worker import deliver_due
from notifications.message import Message
from notifications.models import Channel, Delivery
from notifications.services import supersede
from tests.notifications.scenes import asked, make_due, only, person, slack_channel, slack_people, statuses, user
from tests.notifications.slack_api import SlackApi, buttons_of, text_of
from tests.support.moments import over

pytestmark = pytest.mark.django_db
DONE = Message(title="Approved by Bob", text="Nothing left to do.")


def test_a_channel_shows_text_link_and_buttons(slack: SlackApi) -> None:
    slack_channel()
    asked(channels=["slack://deployments"])
    deliver_due()
    shown = slack.only
    assert shown["channel"] == "C01" and shown["unfurl_links"] is False
    assert text_of(shown) == "*Deploy to production?*\nVersion *7* waits.\n<https://zen.test/a/17|Open in Zen>"
    assert [(b["text"]["text"], b["value"], b.get("style")) for b in buttons_of(shown)] == [
        ("Approve", "yes", "primary"), ("Reject", "no", "danger"),
    ]  # fmt: skip
    assert only().reference == {"channel": "C01", "ts": next(iter(slack.shown))}


def test_a_person_is_written_to_by_their_slack_id(slack: SlackApi) -> None:
    slack_people()
    asked(people=[person(user(slack_id="U0ADA", channels=["slack://people"]), "https://zen.test/ada")])
    deliver_due()
    assert slack.only["channel"] == "D01" and "https://zen.test/ada|" in text_of(slack.only)


def test_a_settled_message_is_changed_and_loses_its_buttons(slack: SlackApi) -> None:
    slack_channel()
    asked(channels=["slack://deployments"])
    deliver_due()
    supersede(subject="approval:17", message=DONE)
    supersede(subject="approval:17", message=DONE)
    assert deliver_due() == 1
    assert slack.calls == ["chat.postMessage", "chat.update"]
    assert buttons_of(slack.only) == [] and text_of(slack.only) == "*Approved by Bob*\nNothing left to do."
    assert deliver_due() == 0


def test_a_subject_that_is_settled_again_alike_is_settled_again(slack: SlackApi) -> None:
    slack_channel()
    for n in (1, 2):
        asked(channels=["slack://deployments"], n=n)
        supersede(subject="approval:17", message=DONE, dedupe=str(n))
    assert deliver_due() == 0 and statuses() == ["cancelled", "cancelled"]


def test_what_still_waits_is_cancelled(slack: SlackApi) -> None:
    slack_channel()
    asked(user(), channels=["slack://deployments"])
    supersede(subject="approval:17", message=DONE)
    assert deliver_due() == 0 and slack.calls == []
    assert statuses() == ["cancelled", "cancelled"]


def test_other_subjects_and_later_notices_stand(slack: SlackApi) -> None:
    slack_channel()
    asked(channels=["slack://deployments"], subject="approval:18")
    supersede(subject="approval:17", message=DONE)
    asked(channels=["slack://deployments"])
    deliver_due()
    assert slack.calls == ["chat.postMessage"] * 2 and statuses() == ["sent", "sent"]


def test_one_that_is_being_sent_when_it_is_settled_is_changed_after(slack: SlackApi) -> None:
    slack_channel()
    asked(channels=["slack://deployments"])
    row = only()
    Delivery.objects.update(status="sending", epoch=1, attempts=1, lease_until=over())
    supersede(subject="approval:17", message=DONE)
    Delivery.objects.filter(pk=row.pk).update(lease_until="2100-01-01T00:00Z")
    deliver_due()
    assert slack.calls == [] and statuses() == ["sending", "queued"], "the change waits for its message"
    change = Delivery.objects.get(updates=row)
    assert change.attempts == 0 and change.due_at > now()
    Delivery.objects.filter(pk=row.pk).update(status="sent", reference={"channel": "C01", "ts": "1"})
    slack.shown["1"] = {"channel": "C01"}
    make_due()
    deliver_due()
    assert slack.calls == ["chat.update"] and text_of(slack.only).startswith("*Approved by Bob*")


def test_one_that_failed_is_not_tried_again_once_it_is_settled(slack: SlackApi) -> None:
    slack_channel()
    slack.fails(503)
    asked(channels=["slack://deployments"])
    deliver_due()
    assert statuses() == ["queued"]
    Delivery.objects.update(status="sending", lease_until=over())  # in a worker's hand as it is settled
    supersede(subject="approval:17", message=DONE)
    Delivery.objects.filter(updates=None).update(status="queued")
    make_due()
    deliver_due()
    make_due()
    deliver_due()
    assert slack.calls == [] and statuses() == ["cancelled", "cancelled"]


def test_slacks_own_pause_is_kept(slack: SlackApi) -> None:
    slack_channel()
    slack.fails(429, error="ratelimited", headers={"Retry-After": "300"})
    asked(channels=["slack://deployments"])
    deliver_due()
    row = only()
    wait = (row.due_at - now()).total_seconds()
    assert row.status == "queued" and "429" in row.error and 290 < wait <= 330


@pytest.mark.parametrize("word", ["channel_not_found", "is_archived", "invalid_auth", "not_in_channel"])
def test_what_stays_wrong_is_dead_at_once(slack: SlackApi, word: str) -> None:
    slack_channel()
    slack.fails(error=word)
    asked(channels=["slack://deployments"])
    deliver_due()
    assert (only().status, only().attempts) == ("dead", 1) and word in only().error
    assert word in Channel.objects.get().last_error


@pytest.mark.parametrize(("status", "word"), [(200, "internal_error"), (500, "fatal_error"), (502, "")])
def test_what_may_pass_is_tried_again(slack: SlackApi, status: int, word: str) -> None:
    slack_channel()
    slack.fails(status, error=word)
    asked(channels=["slack://deployments"])
    deliver_due()
    assert only().status == "queued"
    make_due()
    deliver_due()
    assert only().status == "sent" and Channel.objects.get().last_error == ""


def test_a_slack_that_does_not_answer_is_tried_again(slack: SlackApi, settings: Settings) -> None:
    settings.ZEN_NOTIFY_SLACK_URL = "http://127.0.0.1:1/api/"
    slack_channel()
    asked(channels=["slack://deployments"])
    deliver_due()
    assert only().status == "queued" and "did not answer" in only().error


def test_hostile_text_rings_nobody_and_stays_within_slacks_limits(slack: SlackApi) -> None:
    slack_channel()
    text = "<!channel> <@U1> [x](javascript:1) " + "&<>" * 3000
    asked(channels=["slack://deployments"], message=Message(title="*<!here>* " + "&" * 280, text=text))
    deliver_due()
    (block,) = slack.only["blocks"]
    assert len(block["text"]["text"]) <= 3000
    assert "<!" not in str(slack.only["blocks"]) and "<!" not in slack.only["text"] and "<@" not in str(slack.only)
