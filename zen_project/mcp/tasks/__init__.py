"""Long work as tasks (the extension `io.modelcontextprotocol/tasks`): a client that declares it polls and never waits.

A task is a run, and nothing else: its id is `run-<workflow_id>`, so it survives every restart and any process of the
site answers for it. `extension` turns the answer of a start into a task, and serves `tasks/get`, `tasks/update` and
`tasks/cancel`; `states` says what a run is as a task; `inputs` what people are asked while it waits, and takes what
they answer.

Promises: rights are asked at every request, a task's id gives none; cancelling is the tool `abort_run`, so an agent's
is a proposal; an answer is a decision of the token's person through the one door for decisions, bound to what was
shown, and an agent's token is sent to the page where people decide.
"""
