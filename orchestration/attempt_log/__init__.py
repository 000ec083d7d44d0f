"""What is logged under an attempt, and what its script prints, becomes rows (RunLine), as it comes.

- `current` says which attempt the running code belongs to, and numbers its lines; `execution.attempt` sets it.
- `handler` is the handler of Python's logging; `printed` cuts what a script prints into lines.
- `buffer` keeps lines in memory until a thread of its own has written them; `rows` takes the secrets out and writes.

A step never waits for its log: a full buffer drops and counts (`zen_log_lines_dropped_total`), and a database that is
away costs lines, never a result. A process that is killed loses what it had not yet written, about a second's worth.
Imported by `actions`, `execution` and the settings of logging; `runs.run_log` reads the rows.
"""
