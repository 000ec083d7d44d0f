"""`make chaos`: real workers and servers under faults that a seed chooses, and figures of what became of the sagas."""
