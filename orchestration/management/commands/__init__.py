"""Commands on runs, sagas and workers."""
