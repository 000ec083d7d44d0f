"""Secrets are filled in at sending, and are in no row, log or error."""

from __future__ import annotations

import json
import logging

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from pytest_django import Settings

from notifications.delivery.worker import deliver_due
from notifications.models import Channel, Contact, Delivery, Notice
from tests.notifications.scenes import asked, only, slack_channel, webhook
from tests.notifications.slack_api import TOKEN, SlackApi
from tests.support.peer import Peer

pytestmark = pytest.mark.django_db
VALUE = "hunter2-hunter2"


def everything() -> str:
    models = (Channel, Contact, Notice, Delivery)
    return "".join(serializers.serialize("json", model.objects.all()) for model in models)


def test_a_secret_url_is_used_and_never_kept(
    receiver: Peer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ZEN_SECRETS = {"HOOK": VALUE}
    channel = webhook(receiver)
    Channel.objects.update(target=f"{receiver.url}/{{secret:HOOK}}")
    receiver.say_once(f"/{VALUE}", 404)
    with caplog.at_level(logging.INFO):
        asked(channels=[channel.name])
        deliver_due()
        asked(channels=[channel.name], n=2)
        deliver_due()
    assert [request.path for request in receiver.seen] == [f"/{VALUE}"] * 2
    assert VALUE not in everything()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("notifications")]
    assert VALUE not in "".join(ours)


def test_what_a_broken_target_says_is_redacted(settings: Settings) -> None:
    settings.ZEN_SECRETS = {"WHOLE": f"https://{VALUE}.invalid/x"}
    Channel.objects.create(name="webhook://ops", kind="webhook", target="{secret:WHOLE}")
    asked(channels=["webhook://ops"])
    deliver_due()
    assert only().status == "queued" and only().error and VALUE not in everything()


def test_slacks_token_is_in_no_row(slack: SlackApi) -> None:
    slack_channel()
    asked(channels=["slack://deployments"])
    deliver_due()
    assert only().status == "sent" and TOKEN not in everything()


def test_a_missing_secret_is_named_with_its_remedy(slack: SlackApi, settings: Settings) -> None:
    settings.ZEN_SECRETS = {}
    slack_channel()
    asked(channels=["slack://deployments"])
    deliver_due()
    assert only().status == "dead" and "ZEN_SECRET_SLACK_TOKEN" in only().error and slack.calls == []


def test_a_sender_that_breaks_tells_nothing_and_its_delivery_is_dead_in_the_end(
    slack: SlackApi, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    slack_channel()
    asked(channels=["slack://deployments"])
    Notice.objects.update(
        buttons=[{"label": TOKEN, "value": "x", "style": ""}, {"label": "no style", "value": 1, "style": {}}]
    )
    slack.fails(200, error="internal_error")
    deliver_due()
    assert TOKEN not in only().error and TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"kind": "slack", "target": "#ops", "token": "xoxb-plain"}, "token", "{secret:"),
        ({"kind": "slack", "target": "#ops", "token": ""}, "token", "{secret:"),
        ({"kind": "slack", "target": "", "token": "{secret:T}"}, "target", "#deployments"),
        ({"kind": "slack", "target": "#ops", "token": "{secret:T}", "personal": True}, "target", "empty"),
        ({"kind": "email", "target": "nobody"}, "target", "devops@"),
        ({"kind": "email", "target": "a@b.test", "token": "{secret:T}"}, "token", "slack"),
        ({"kind": "webhook", "target": "ftp://x.test"}, "target", "http(s)"),
        ({"kind": "webhook", "target": "https://u:plain@x.test/"}, "target", "never stored"),
        ({"kind": "webhook", "target": "https://x.test/", "personal": True}, "target", "no personal"),
        ({"kind": "apprise", "target": "json://x.test/"}, "target", "'json' is not among"),
        ({"kind": "apprise", "target": "file:///etc/passwd"}, "target", "not among"),
        ({"kind": "apprise", "target": "tgram://123:abc/chat"}, "target", "never stored"),
        ({"kind": "apprise", "target": "ntfy://u:plain@x.test/ops"}, "target", "never stored"),
        ({"kind": "apprise", "target": "ntfy://x.test/ops?redirect=yes"}, "target", "redirect"),
        ({"kind": "apprise", "target": "ntfy://x.test/ops?+retry=9"}, "target", "retry"),
        ({"kind": "apprise", "target": "ntfy://x.test/{phone}"}, "target", "personal"),
        ({"kind": "apprise", "target": "twilio://{secret:T}@1/2", "personal": True}, "target", "{phone}"),
        ({"name": "slackdeployments", "kind": "email", "target": "a@b.test"}, "name", "slack://deployments"),
        ({"name": "slack://x", "kind": "email", "target": "a@b.test"}, "kind", "slack"),
    ],
)
def test_a_channel_that_cannot_work_or_would_keep_a_secret_is_refused(
    given: dict[str, object], field: str, says: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Channel(**{"name": "any://ops", **given}).full_clean()
    assert says in json.dumps(refused.value.message_dict[field])


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "slack", "target": "#ops", "token": "{secret:T}"},
        {"kind": "slack", "token": "{secret:T}", "personal": True},
        {"kind": "email", "personal": True},
        {"kind": "webhook", "target": "https://x.test/{secret:PATH}"},
        {"kind": "webhook", "target": "{secret:WHOLE}"},
        {"kind": "apprise", "target": "{secret:WHOLE}"},
        {"kind": "apprise", "target": "ntfys://ntfy.test/ops"},
        {"kind": "apprise", "target": "twilio://{secret:SID}:{secret:T}@1/{phone}", "personal": True},
        {"kind": "apprise", "target": "pagerduty://{secret:INTEGRATION}@{secret:API}"},
    ],
)
def test_a_channel_that_can_work_is_taken(given: dict[str, object]) -> None:
    Channel(**{"name": "any://ops", **given}).full_clean()
