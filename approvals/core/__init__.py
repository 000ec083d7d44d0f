"""The approval flow, pure."""
