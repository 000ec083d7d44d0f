"""`python -m tools.chaos.projects`: multi-agent projects under faults that a seed chooses, and what became of them.

The same servers, workers and links as `tools.chaos`, and faults of projects besides: agents, keepers, switches and
releases killed or stopped, lock files of killed gits, a full disk. At the end every project has ended or waits for a
person; each task has one merge; nothing is held, left running or lying about; ledger and git say the same.
"""
