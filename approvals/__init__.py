"""Approvals: people decide whether a step may act, or anything else that code asks about.

Rooms, from the right: `core` (pure rules), `models`, `policies` and `evidence`, `queries`, `requests` and `simulation`,
then the doors `client`, `gate`, `external_flow`, `slack`, `tasks`, `console`, `web`, `admin`, `api`, `management`. Each
imports what stands before it in this list; contracts in pyproject.toml hold it. `docs/explanation/architecture.md`
follows an approval through them.

A policy and its people are frozen when a request is opened; rights are judged anew at each decision, under the lock. A
vote is bound to the hash of what was shown. A yes is spent once, for exactly that content. Nobody decides what they
have asked for.

Public for code of a site: `approvals.client`. Orchestration reaches this app through its ports alone (`gate`,
`external_flow`); a request's run is written through `orchestration.runs.external`.
"""
