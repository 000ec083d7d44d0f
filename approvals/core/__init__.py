"""The approval flow: pure rules. Nothing here reads a clock, a row or a setting."""
