"""The services that apprise may reach for us. What is not listed is refused, generic HTTP above all."""

from __future__ import annotations

SMS = frozenset({
    "46elks", "bulksms", "clicksend", "d7sms", "httpsms", "infobip", "msgbird", "nexmo", "plivo", "seven", "sinch",
    "sns", "twilio", "voipms", "vonage",
})  # fmt: skip
CHAT = frozenset({
    "discord", "gchat", "mmost", "mmosts", "ntfy", "ntfys", "pover", "rocket", "rockets", "slack", "tgram", "webex",
    "workflow", "workflows", "zulip",
})  # fmt: skip
PAGING = frozenset({"opsgenie", "pagerduty", "splunk", "victorops"})
SCHEMES = SMS | CHAT | PAGING
OPEN = frozenset({"ntfy", "ntfys"})
"""Services that can be reached without any credential."""

FORBIDDEN_PARAMETERS = frozenset({
    "attach", "config", "cto", "emojis", "include", "optional", "redirect", "retry", "rto", "store", "template", "tz",
    "verify", "wait",
})  # fmt: skip
"""Parameters that read files, hide failures, follow redirects, retry by themselves or stop checking certificates."""
