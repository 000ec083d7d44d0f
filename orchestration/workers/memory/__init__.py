"""The engine of tests: one process, a virtual clock, an order of events that a seed chooses, and faults.

`world.World` holds one run: workers die before and after an effect, answers come late or twice, processes begin anew.
The property tests live through thousands of such schedules. `engine.MemoryEngine` puts worlds behind the contract of
`orchestration.engines`, with real actions and a real ledger, for the contract suite.

Its state is lost with its process, so no site uses it. Imported by tests alone.
"""
