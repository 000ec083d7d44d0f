"""The engine of tests: one process, a virtual clock, an order of things that a seed chooses, and faults."""
