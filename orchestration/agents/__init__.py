"""Coding agents as peers: how one is started, followed, asked, answered, stopped and told apart from another.

`base` is the contract of drivers: a `SessionSpec` goes in, events come out as they happen, an `Ended` comes back. A
driver holds one session with one agent; it knows no run, no row and no task. It promises that the agent's processes
are gone when `run` returns or the worker dies, that a silent agent is ended, that nothing is approved by itself, and
that no text leaves it unbounded or with a secret in it. It does not judge whether the work is good.

`drivers` are the ways to reach an agent, `process` keeps what is started, `scripted` is an agent program of our own
for tests and demonstrations. Imported by `orchestration.execution`.
"""

from orchestration.core.agent.agent_type import AgentType

__all__ = ["AgentType"]
