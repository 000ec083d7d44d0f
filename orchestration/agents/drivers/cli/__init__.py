"""Agents by the headless mode of their command line: one run of the program, one prompt, lines of events on stdout.

`driver` starts, feeds and follows the program; an `Adapter` says how it is called and makes a `Reader` of what it
prints (`adapter` has both contracts). `claude`, `codex`, `opencode`, `gemini` and `aider` are the adapters,
`signed_in` looks for their keys. A program that has no way to ask is never answered: what was denied to it is in the
result. How a session ended is read from the agent's own result object; neither an exit code nor prose says that
anything succeeded. Imported by `orchestration.agents.drivers`.
"""
