"""Zen as an MCP server: agents and assistants use it as people use the API, with tools that call the same services.

`server` makes the one server object of a process; `http` puts it into the site's ASGI app at `/mcp`, and
`manage.py mcp` serves it over stdio. A tool is a typed function in `tools`, `(caller, arguments) -> JSON`, with a line
in its module's `ENTRIES` (`registry`): the model of its arguments refuses what it does not know, its answer has the
fields of REST. `calls` performs one: who calls (`identity`), its arguments (`arguments`), the work in a thread
(`threads`), waiting (`waiting`), what an answer may weigh (`bounds`). What else the protocol has: `resources` and
`subscriptions`, `prompts`, `tasks`; their refusals are `protocol`'s, and `sdk` puts them into the SDK's server.

Promises: no rule of its own, each call ends in a service with an `Actor(door="mcp")`; the caller is whoever the token
belongs to, and no argument says otherwise; a refusal has REST's words and has changed nothing; an answer is bounded.

`WorkflowOrchestratorTool` is the one tool `workflow_orchestrator` for Python code of this site, without a server.

It needs the extra `mcp`, and is imported by `zen_project.asgi`, the command `mcp` and a site's own code.
"""

from zen_project.mcp.python_tool import WorkflowOrchestratorTool

__all__ = ["WorkflowOrchestratorTool"]
