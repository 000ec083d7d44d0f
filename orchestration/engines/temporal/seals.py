"""What a workflow is started with and told carries a code that only the processes of this site can make.

Whoever may write to the Temporal namespace could else act on a run without a stored message, a name or an audit row.
The code is looked at where a message comes in, never in a replay. So it may be made with a new key (SECRET_KEY, with
the old one in SECRET_KEY_FALLBACKS), and workflows of before there were codes go on.
"""

from __future__ import annotations

import dataclasses
import hmac
import json

from django.conf import settings
from django.utils.crypto import salted_hmac

from orchestration.engines.temporal.dto import Deliver, Start

SALT = "orchestration.engines.temporal"


def delivery(workflow_id: str, message_id: str, event: str) -> Deliver:
    """A stored message, for its workflow and under its id only."""
    return Deliver(event=event, seal=_seal(settings.SECRET_KEY, "deliver", workflow_id, message_id, event))


def is_ours(workflow_id: str, message_id: str, told: Deliver) -> bool:
    return _holds(told.seal, "deliver", workflow_id, message_id, told.event)


def sealed(start: Start) -> Start:
    return dataclasses.replace(start, seal=_seal(settings.SECRET_KEY, *_parts(start)))


def is_our_start(start: Start) -> bool:
    return _holds(start.seal, *_parts(start))


def _parts(start: Start) -> tuple[str, ...]:
    given = dataclasses.asdict(start)
    del given["seal"]
    return "start", json.dumps(given, sort_keys=True)


def _holds(seal: str, *parts: str) -> bool:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(seal.encode(), _seal(str(key), *parts).encode()) for key in keys)


def _seal(key: str, *parts: str) -> str:
    return salted_hmac(SALT, json.dumps(parts), secret=key, algorithm="sha256").hexdigest()
