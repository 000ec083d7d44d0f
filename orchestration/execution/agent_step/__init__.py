"""An agent's attempt at a step: leased, briefed, followed, committed, checked and judged.

- `step` is the action `agent`; `from_task` a `task` that names a type of agent and no handler.
- `asking` reads what the step asks for; `holding` leases an endpoint that is well, renews and gives it back.
- `work`: repository, worktree, our commit, our checks; `record`: the row of the attempt, `in_words` its lines.
- `follows`: what comes after an attempt; `inquiry`: what people are asked about it; `questions`: asking, and how the
  next one goes on with what they said; `rework`: the changes they wanted.
- `money`, `forecast`: what people are asked before an attempt: a spent budget, a project that takes too long.
- `result`: the outcome that the flow goes on with, by the verdict.

An agent's exit code and words decide nothing. What is not accepted is on no branch that is merged. An endpoint is given
back however the attempt ends, and a session that was held to its end is not paid for twice: a worker that takes over
only judges it. Imported by `execution.action_table`.
"""
