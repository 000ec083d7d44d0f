"""Agents that speak the Agent Client Protocol: JSON-RPC in lines on their stdin and stdout.

`driver` is the driver; `conversation` is initialize, session/new or session/load, session/prompt until its
stopReason. `wire` carries messages, `updates` reads what session/update tells, `requests` answers what the agent
asks: a permission or an elicitation goes to `ask`, everything else is refused, for the agent has the tools of its own
sandbox. The shapes are those of the package agent-client-protocol (`acp.schema`); the line protocol is spoken here,
in the caller's thread, since what hears the events reads and writes rows. Imported by `orchestration.agents.drivers`.
"""
