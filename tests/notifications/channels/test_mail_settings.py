"""EMAIL_URL and its kin: read, or refused with the name, the reason and an example."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from zen_project.config.env import Env
from zen_project.config.mail import MailServer, mail_server, sender_address, slack_api


def env(**environ: str) -> Env:
    return Env(environ=environ)


@pytest.mark.parametrize(
    ("given", "server"),
    [
        ({}, MailServer()),
        ({"EMAIL_URL": "smtp://mail.company.com"}, MailServer(host="mail.company.com")),
        (
            {"EMAIL_URL": "smtp://zen:p%40ss@mail.company.com:2525?tls=starttls"},
            MailServer(host="mail.company.com", port=2525, user="zen", password="p@ss"),
        ),
        ({"EMAIL_URL": "smtps://mail.company.com"}, MailServer(host="mail.company.com", port=465, tls="ssl")),
        ({"EMAIL_URL": "smtp://localhost?tls=none"}, MailServer(host="localhost", port=25, tls="none")),
        (
            {"EMAIL_HOST": "mail", "EMAIL_USER": "zen", "EMAIL_PASSWORD": "secret", "EMAIL_TLS": "SSL"},
            MailServer(host="mail", port=465, user="zen", password="secret", tls="ssl"),
        ),
    ],
)
def test_a_right_value_is_read(given: dict[str, str], server: MailServer) -> None:
    assert mail_server(env(**given)) == server


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"EMAIL_URL": "mail.company.com"}, "neither smtp://host"),
        ({"EMAIL_URL": "http://mail.company.com"}, "neither smtp://host"),
        ({"EMAIL_URL": "smtp://mail.company.com:x"}, "is not a URL"),
        ({"EMAIL_URL": "smtp://mail.company.com?ssl=yes"}, "one parameter, tls"),
        ({"EMAIL_URL": "smtp://mail.company.com?tls=maybe"}, "one parameter, tls"),
        ({"EMAIL_URL": "smtp://zen:hunter22@mail.company.com?tls=none"}, "without encryption"),
        ({"EMAIL_URL": "smtp://zen@mail.company.com"}, "a user without a password"),
        ({"EMAIL_URL": "smtp://mail.company.com", "EMAIL_HOST": "other"}, "keep one of them"),
        ({"EMAIL_PASSWORD": "hunter22"}, "EMAIL_HOST is not"),
        ({"EMAIL_HOST": "two words"}, "not a host's name"),
        ({"EMAIL_HOST": "mail", "EMAIL_PORT": "many"}, "not a whole number"),
        ({"EMAIL_HOST": "mail", "EMAIL_TLS": "perhaps"}, "none of starttls"),
    ],
)
def test_a_wrong_value_is_refused_and_no_password_is_shown(given: dict[str, str], says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_\w+='.*' .*; for example EMAIL_\w+=.+") as refused:
        mail_server(env(**given))
    assert says in str(refused.value) and "hunter22" not in str(refused.value)


def test_the_sender_is_an_address() -> None:
    assert sender_address(env()) == "zen@localhost"
    assert sender_address(env(EMAIL_FROM="Zen <zen@company.com>")) == "Zen <zen@company.com>"
    with pytest.raises(ImproperlyConfigured, match="EMAIL_FROM"):
        sender_address(env(EMAIL_FROM="zen"))


def test_slacks_address_is_encrypted_unless_it_is_this_machine() -> None:
    assert slack_api(env()) == "https://slack.com/api/"
    assert slack_api(env(ZEN_NOTIFY_SLACK_URL="http://127.0.0.1:99/api")) == "http://127.0.0.1:99/api/"
    for wrong in ("http://slack.com/api/", "slack.com", "https://", "https://x.test/?a=1"):
        with pytest.raises(ImproperlyConfigured, match="ZEN_NOTIFY_SLACK_URL"):
            slack_api(env(ZEN_NOTIFY_SLACK_URL=wrong))
