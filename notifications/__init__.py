"""Messages to people and channels, and signed webhooks to services.

`services` is what other apps call; `routing` decides who hears of something, by which channel and when; `delivery`
sends by the outbox (`foundation.outbox`); `channels` has one sender for each kind; `webhooks` calls services; `slack`
takes the buttons that come back; `message` is what others hand in. Contracts in pyproject.toml hold the order.

Rows are written in the caller's transaction; sending comes after the commit, at least once. A message is stored once
for its `dedupe`. No sender touches a row. This app knows no run and no request: what it needs of them it asks through
`ports` (ZEN_LINK_SIGNER, ZEN_DELIVERY_LISTENERS, ZEN_INTERACTION_HANDLER).

Approvals import `services`, `webhooks`, `message`, `models`, and reads of `routing` and `delivery`; orchestration
imports nothing of it.
"""
