"""The processes of an agent: started in bounds, heard line by line, gone at the end.

`group` starts a program under a keeper and hands over its lines; `keeper` is that keeper, a small process between the
worker and the agent, which ends every process that came of the agent when the worker says so, ends or dies by kill
-9; `sandbox` puts a program into bubblewrap, and `private` says what it
may not read there; `strays` finds processes by a variable that they inherited, for whoever
has to prove that none is left. Imported by `orchestration.agents.drivers`, `orchestration.agents.workspace`,
`orchestration.agents.endpoints`, and by what runs commands of others: `orchestration.projects` and `execution`.
"""
