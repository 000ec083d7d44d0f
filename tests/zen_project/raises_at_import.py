"""A module that a setting may name, and that cannot be imported."""

raise RuntimeError("no wheel")
