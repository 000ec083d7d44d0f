"""The Temporal engine: one interpreter workflow hosts the flow, one activity performs each command."""
