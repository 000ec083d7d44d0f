"""SMS, pagers and other chats, through apprise. One attempt each: retries are ours."""

from __future__ import annotations

import re
from urllib.parse import quote

from apprise import Apprise, AppriseAsset
from apprise.plugins import NotifyBase

from notifications.channels.apprise_hosts import refused_host
from notifications.channels.apprise_services import SMS
from notifications.channels.envelope import Envelope, Outcome, of_status
from notifications.channels.targets import PHONE, refused_url, scheme_of

SECONDS = 40
LONGEST_SMS = 300
STATUS = re.compile(r"error=(\d{3})\b")


def send(parcel: Envelope) -> Outcome:
    url = parcel.target.replace(PHONE, quote(parcel.address, safe=""))
    if why := refused_url(url):
        return Outcome(error=why, permanent=True)
    asset = AppriseAsset(http_redirects=False, storage_mode="memory")
    service = Apprise.instantiate(url, asset=asset)
    if not isinstance(service, NotifyBase):
        return Outcome(error="apprise does not understand the URL of this channel", permanent=True)
    if why := refused_host(scheme_of(url), service):
        return Outcome(error=why, permanent=True)
    service.request_rate_per_sec = 0  # it would sleep in our thread
    apprise = Apprise(asset=asset)
    apprise.add(service)
    result = apprise.notify(title=parcel.title, body=_body(parcel, scheme_of(url)), timeout=SECONDS)
    if result:
        return Outcome()
    return _failed([entry.message for entry in result.logs()])


def _body(parcel: Envelope, scheme: str) -> str:
    """An SMS says what it is about and where; the rest is for who follows the link."""
    if scheme in SMS:
        links = [item.url for item in parcel.items if item.url]
        return " ".join(links)[:LONGEST_SMS] if links else "Open Zen to see more."
    parts = ["\n".join(filter(None, (item.text.strip() or item.title, item.url))) for item in parcel.items]
    return "\n\n".join(parts)


def _failed(said: list[str]) -> Outcome:
    """apprise tells the status of an answer only in what it logs."""
    text = "; ".join(said) or "apprise gave no reason"
    found = STATUS.search(text)
    return of_status(int(found[1]), text) if found else Outcome(error=text)
