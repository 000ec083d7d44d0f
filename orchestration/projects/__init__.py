"""Multi-agent projects: a spec becomes a saga, whose plan becomes the next saga.

`deployment` brings a project's merged head to its users: a child saga of the project, or a run of its own.

Phases are steps of sagas like any other: handlers registered under the reserved prefix `zen.`. What is decided about a
project stands in `orchestration.core`; here are files, processes and rows. Imported by the doors.
"""
