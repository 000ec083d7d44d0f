"""Calls to addresses that a user named: in a definition, a channel or a webhook.

`transport.GuardedTransport` is the only HTTP client for them: its `guarded_connections` go only to what `address_guard`
allows (public addresses, and those that ZEN_OUTBOUND_ALLOW names), after the name was resolved, and at each redirect
again.
`circuit_breaker` holds back calls to a route that keeps failing (docs/adr/0003); `redirects` says what may be followed;
`retry_after` reads when a service wants to be asked again; `decoding` opens compressed bodies within a bound.

No other code opens a socket to a user's address. Imported by `orchestration.actions`, the channels and webhooks of
notifications. Why it is needed: docs/explanation/security.md.
"""
