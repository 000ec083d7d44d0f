"""Durable sagas: definitions, runs, the engines that keep them and the workers that perform their steps.

Rooms, from the right: `core` (pure rules), `models`, `actions`, `ledger`, `ports`, `engines`, `runs`, `execution`,
`workers`, then the doors `sagas`, `client`, `tasks`, `console`, `admin`, `api`, `management`. Each imports what stands
before it in this list; contracts in pyproject.toml hold it. `docs/explanation/architecture.md` follows a run through
them.

A flow decides and does nothing else (docs/adr/0001); what was accepted is a row before the caller hears of it; calls to
the world are made after the commit, at least once, under one idempotency key. "Rule 4" in a docstring is rule 4 of
docs/reference/sagas.md.

Public for code of a site: `orchestration.client`, `orchestration.sagas`, `orchestration.actions.errors`. Approvals
import `runs`, `ports`, `core` and `models`, what reads of `ledger` and checks of `actions`, and neither engines nor
workers nor the saga's state. Monitoring reads `ledger`, `engines` and `models`.
"""
