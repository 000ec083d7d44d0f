"""The pure core: flows that decide, without I/O, clocks, ids or chance. It imports the stdlib and pydantic only."""
