from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.notifications.mail_server import Mailbox, mail_server
from tests.notifications.slack_api import TOKEN, SlackApi, slack_api
from tests.support.peer import Peer, serving


@pytest.fixture(autouse=True)
def at_once(settings: Settings) -> None:
    """Nothing waits for company, unless a test is about that."""
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 0


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.DEFAULT_FROM_EMAIL = "Zen <zen@example.com>"
        yield running


@pytest.fixture
def slack(settings: Settings) -> Iterator[SlackApi]:
    with slack_api() as running:
        settings.ZEN_NOTIFY_SLACK_URL = running.url
        settings.ZEN_SECRETS = {"SLACK_TOKEN": TOKEN}
        yield running


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Peer]:
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running
