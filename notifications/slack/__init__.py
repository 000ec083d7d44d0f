"""Slack's way in: buttons that are pressed, and the windows that they open (docs/howto/slack.md).

`views` judges the signature on the raw bytes, stores the press and answers at once; `modal` opens a window for what a
button alone does not say, and reads what comes back; `worker` has the presses interpreted, and tells each person what
came of theirs, by `foundation.outbox`.

What a press means it does not know: that is asked of `notifications.ports.InteractionHandler`. The way out, messages
with buttons, is `notifications.channels.slack`.
"""
