"""`workflow_orchestrator`: one tool for all that a workflow needs, with the operations and the JSON of the first Zen.

`arguments` is what a call may say, and which operation takes what; `starting`, `reading` and `approving` do it, by the
same functions as the tools beside it, so an answer has the same fields and a refusal the same words. `entry` is its
line among the tools.

It promises what they promise: the person is whoever the token belongs to, and `approver_id` only says so again; an
agent that cancels proposes it. Imported by `zen_project.mcp.tools`, and by the class with which Python code calls it.
"""
