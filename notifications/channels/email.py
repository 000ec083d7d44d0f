"""By SMTP, through Django: plain text and HTML."""

from __future__ import annotations

import smtplib
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from foundation.visible_text import one_line
from notifications.channels.addresses import as_sent
from notifications.channels.envelope import Envelope, Outcome
from notifications.channels.markdown_html import page, plain

LONGEST_SUBJECT = 200
DJANGOS, TIMED = "django.core.mail.backends.smtp.EmailBackend", "notifications.channels.smtp.EmailBackend"


def send(parcel: Envelope) -> Outcome:
    if not settings.EMAIL_HOST:
        return Outcome(error="there is no mail server; set EMAIL_URL (docs/reference/notifications.md)", permanent=True)
    try:
        mail = _mail(parcel)
    except ValueError as error:
        return Outcome(error=str(error), permanent=True)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Outcome(error=f"the address was refused: {error}", permanent=all(code >= 500 for code in codes))
    except smtplib.SMTPResponseException as error:
        return Outcome(error=f"{type(error).__name__}: {error}", permanent=error.smtp_code >= 500)
    except smtplib.SMTPNotSupportedError as error:
        return Outcome(error=f"the mail server cannot do it: {error}", permanent=True)
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(error=f"no mail server: {error or type(error).__name__}")
    return Outcome()


def _mail(parcel: Envelope) -> EmailMultiAlternatives:
    """The Message-ID stays the same for every attempt: a mailbox shows a repeated one once.

    Raises ValueError for an address that no header may hold, ours or theirs.
    """
    name, sender = _sender()
    domain = sender.rpartition("@")[2]
    mail = EmailMultiAlternatives(
        connection=get_connection(TIMED if settings.EMAIL_BACKEND == DJANGOS else None),
        subject=one_line(parcel.title, LONGEST_SUBJECT),
        body=plain(parcel.items),
        from_email=formataddr((name, sender)),
        to=[as_sent(parcel.address or parcel.target)],
        headers={"Message-ID": f"<delivery-{parcel.id}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(page(parcel.items), "text/html")
    return mail


def _sender() -> tuple[str, str]:
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    try:
        return name, as_sent(address)
    except ValueError as error:
        raise ValueError(f"EMAIL_FROM: {error}") from None
