"""Agents behind an HTTP server in the manner of coder/agentapi: its own, or `manage.py agentapi`.

`driver` holds a session: waits until the agent is free, says the prompt, follows what is said until it is free again.
`client` speaks HTTP, `screen` reads what agentapi takes from a terminal: a menu is a question, a login screen is
none. The protocol has no folder, so the prompt's first line names it; no tokens, costs or ends either, unless the
server is ours and says more. Imported by `orchestration.agents.drivers`.
"""
