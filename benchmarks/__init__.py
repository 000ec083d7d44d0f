"""Zen's engines against their peers, side by side in one run: `python -m benchmarks`."""
