"""Through apprise, to a real HTTP server in the place of a service."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest
import requests
from pytest_django import Settings

from notifications.channels.apprise import _body, send
from notifications.channels.apprise_services import SCHEMES
from notifications.channels.envelope import Envelope, Item
from notifications.delivery.worker import deliver_due
from notifications.models import Channel
from tests.notifications.scenes import asked, make_due, only
from tests.support.peer import Peer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),  # one of apprise's plugins
]


@pytest.fixture
def ntfy(receiver: Peer) -> Channel:
    return Channel.objects.create(name="ntfy://ops", kind="apprise", target=f"ntfy://{receiver.address}/ops")


def test_a_service_gets_title_text_and_link(receiver: Peer, ntfy: Channel) -> None:
    asked(channels=["ntfy://ops"])
    deliver_due()
    sent = json.loads(receiver.seen[0].body)
    assert (sent["topic"], sent["title"]) == ("ops", "Deploy to production?")
    assert "Version **7** waits." in sent["message"] and "https://zen.test/a/17" in sent["message"]
    assert only().status == "sent" and len(receiver.seen) == 1


@pytest.mark.parametrize(("status", "end"), [(404, "dead"), (302, "dead"), (429, "queued"), (503, "queued")])
def test_its_answer_says_whether_to_try_again(receiver: Peer, ntfy: Channel, status: int, end: str) -> None:
    receiver.say_once("/", status, {"Location": f"{receiver.url}/elsewhere"})
    asked(channels=["ntfy://ops"])
    deliver_due()
    assert only().status == end and f"error={status}" in only().error
    assert [request.path for request in receiver.seen] == ["/"], "one attempt, and no redirect is followed"


def test_a_service_that_is_down_is_tried_again(receiver: Peer, ntfy: Channel, settings: Settings) -> None:
    settings.ZEN_OUTBOUND_ALLOW = (*settings.ZEN_OUTBOUND_ALLOW, "127.0.0.1:1")
    Channel.objects.update(target="ntfy://127.0.0.1:1/ops")
    asked(channels=["ntfy://ops"])
    deliver_due()
    assert only().status == "queued" and "onnection" in only().error
    Channel.objects.update(target=ntfy.target)
    make_due()
    deliver_due()
    assert only().status == "sent"


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1/x", "ntfy://127.0.0.1/ops?redirect=yes", "ntfy://127.0.0.1/a?ATTACH=/etc/passwd",
        "ntfy://127.0.0.1/ops?%72edirect=yes", "ntfy://127.0.0.1/ops?a=1;verify=no", "ntfy://127.0.0.1/ops?verify%20=no",
        "ntfy://127.0.0.1/ops?%C2%A0verify=no", "ntfy://127.0.0.1/ops?\tverify=no", "ntfy://127.0.0.1/ops?%2Bverify=no",
    ],
)  # fmt: skip
def test_a_url_that_became_a_forbidden_one_is_dead(url: str, ntfy: Channel, settings: Settings) -> None:
    settings.ZEN_SECRETS = {"WHOLE": url}
    Channel.objects.update(target="{secret:WHOLE}")
    asked(channels=["ntfy://ops"])
    deliver_due()
    assert only().status == "dead" and url not in only().error


def test_an_sms_says_where_and_not_what() -> None:
    item = Item(id=1, subject="s", title="t", text="secret plan", url="https://zen.test/a/1")
    parcel = Envelope(id=1, subject="s", kind="k", target="", token="", address="+49", name="Ada", items=(item,))
    assert _body(parcel, "twilio") == "https://zen.test/a/1"
    assert "secret plan" in _body(parcel, "ntfy")


def test_its_log_lines_which_name_targets_go_nowhere(ntfy: Channel, capsys: pytest.CaptureFixture[str]) -> None:
    Channel.objects.update(target="ntfy://127.0.0.1:1/whispered")
    asked(channels=["ntfy://ops"])
    deliver_due()
    assert "127.0.0.1:1" in only().error
    assert "127.0.0.1:1" not in capsys.readouterr().err


# --- what it may reach ------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "ntfy://{0}/ops", "ntfys://{0}/ops", "ntfy://user:pass@{0}/ops?mode=private", "mmost://{0}/" + "a" * 24,
    "mmosts://{0}/path/" + "a" * 24, "rocket://user:pass@{0}/#room", "rockets://user:pass@{0}/@you",
    "workflow://{0}/aaaaaaaa/bbbbbbbb", "workflows://{0}/aaaaaaaa/bbbbbbbb", "infobip://key@{0}/15551234567",
    "zulip://bot@x.{0}/" + "a" * 32, "zulip://bot@org.x@{0}/" + "a" * 32,
]  # fmt: skip


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that apprise would call."""
    found: list[str] = []

    def send(self: requests.Session, request: requests.PreparedRequest, **_: object) -> requests.Response:
        found.append(str(request.url))
        raise requests.ConnectionError("not sent")

    monkeypatch.setattr(requests.Session, "send", send)
    return found


def parcel_to(url: str) -> Envelope:
    item = Item(id=1, subject="s", title="t", text="x", url="https://zen.test/a/1")
    return Envelope(id=1, subject="s", kind="k", target=url, token="", address="", name="n", items=(item,))


@pytest.mark.parametrize("url", ELSEWHERE)
@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "10.0.0.1", "[::1]:{port}", "169.254.169.254"]
)
def test_no_host_of_ones_own_is_reached_unless_the_site_names_it(
    receiver: Peer, asked_for: list[str], settings: Settings, url: str, host: str
) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ()
    outcome = send(parcel_to(url.format(host.format(port=receiver.address.rpartition(":")[2]))))
    makers = [urlsplit(url).hostname for url in asked_for]  # a name without a dot is completed to one of the maker's
    assert makers in ([], ["localhost.api.infobip.com"]) and (outcome.permanent or makers) and receiver.seen == []


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_no_service_can_be_led_to_this_machine(asked_for: list[str], settings: Settings, scheme: str) -> None:
    """Every place in a URL at which a host could stand, and every parameter that could name one."""
    settings.ZEN_OUTBOUND_ALLOW = ()
    here, long = "127.0.0.1:9", "a" * 32
    shapes = [
        f"{scheme}://{here}/{long}/{long}/{long}", f"{scheme}://user:pass@{here}/15551234567",
        f"{scheme}://{long}@{here}/{long}", f"{scheme}://{long}/{here}/{long}", f"{scheme}://{long}:{here}@15551234567",
        f"{scheme}://{long}/{long}/15551234567?host={here}&url=http://{here}/&region={here}&hostname={here}&mode=private",
        f"{scheme}://AC{long}:{long}@15551234567/15557654321?region={here}&api={here}&endpoint={here}",
    ]  # fmt: skip
    for shape in shapes:
        send(parcel_to(shape))
    assert [url for url in asked_for if "127.0.0.1" in (urlsplit(url).hostname or "")] == []


@pytest.mark.parametrize("allow", ["ntfy.example:8443", "ntfy.example", "*.example"])
def test_a_host_that_the_site_names_is_reached(asked_for: list[str], settings: Settings, allow: str) -> None:
    settings.ZEN_OUTBOUND_ALLOW = (allow,)
    send(parcel_to("ntfys://ntfy.example:8443/ops"))
    assert [urlsplit(url).netloc for url in asked_for] == ["ntfy.example:8443"]


@pytest.mark.parametrize("url", ["ntfy://ops", "ntfys://ntfy.sh/ops", "zulip://bot@company/" + "a" * 32])
def test_the_makers_own_hosts_need_no_word(asked_for: list[str], settings: Settings, url: str) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ()
    send(parcel_to(url))
    assert [urlsplit(url).hostname for url in asked_for] in (["ntfy.sh"], ["company.zulipchat.com"])


def test_a_name_that_is_allowed_still_never_leads_to_metadata(
    asked_for: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ("ntfy.example",)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert "metadata" in send(parcel_to("ntfys://ntfy.example/ops")).error and asked_for == []
