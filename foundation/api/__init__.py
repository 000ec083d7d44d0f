"""What all REST views share: problem+json, bounds of bodies, rate limits and helpers for the OpenAPI document.

`views.Door` is the base of every view: it asks for a role, and refuses query parameters that the document does not
name. `body` reads and checks bodies and parameters; `errors.handle` turns every exception into a problem; `limits`
counts calls per token and per address.

Every error of /api/ is a problem (RFC 9457) with `type`, `title`, `status` and `detail`; unexpected faults, too.
Imported by the `api` packages of the apps, `errors` also by middleware.
"""
