"""Stores a notice once for its `dedupe`, in one statement where get_or_create takes three."""

from __future__ import annotations

import json
from datetime import datetime

from django.db import connection

from notifications.message import Message, as_json
from notifications.models import Notice

_INSERT = """
INSERT INTO notifications_notice (subject, kind, title, text, url, buttons, urgent, dedupe, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (dedupe) DO NOTHING RETURNING id
"""


def stored_once(
    *, subject: str, kind: str, message: Message, dedupe: str, at: datetime, urgent: bool = False
) -> tuple[Notice, bool]:
    """The notice, and whether it is new. Inside a transaction; waits for another one that stores the same."""
    notice = Notice(
        subject=subject, kind=kind, title=message.title, text=message.text, url=message.url,
        buttons=as_json(message.buttons), urgent=urgent, dedupe=dedupe, created_at=at,
    )  # fmt: skip
    cells = (subject, kind, message.title, message.text, message.url, json.dumps(notice.buttons), urgent, dedupe)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*cells, connection.ops.adapt_datetimefield_value(at)])
        found = cursor.fetchone()
    if found is None:
        return Notice.objects.get(dedupe=dedupe), False
    (notice.pk,) = found
    return notice, True
