"""The ways to hold a session with an agent; each keeps the contract of `orchestration.agents.base`.

- `acp`: a program that speaks the Agent Client Protocol on its stdin and stdout.
- `cli`: the headless mode of a known command line, by an adapter of its own for what it prints.
- `agentapi`: an HTTP server in the manner of coder/agentapi.
- `scripted`: our own agent program, over ACP; for tests and demonstrations.

`session` is what they share: progress, bounds, budget, questions; `over` is its end, `program` its program.
`transcript` bounds and redacts what is told; `failures` reads why a model said no. `choose` finds the driver of an
endpoint. Imported by `orchestration.execution` and `orchestration.agents.endpoints`.
"""
