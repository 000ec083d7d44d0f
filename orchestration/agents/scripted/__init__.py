"""The scripted agent: a program that speaks ACP and does as it is told. It is no model, and says so.

    python -m orchestration.agents.scripted [--behaviour NAME[,NAME …]] [--state FOLDER]

By default it writes one file per task, which holds the words of its prompt. Its misbehaviours are for tests and
demonstrations of what happens to an agent that does wrong: nothing of ours knows or favours it, it is judged as any
other. One is asked for by a line `scripted: NAME` of the prompt, else by --behaviour, else by ZEN_SCRIPTED_BEHAVIOUR;
of several names the one of this attempt counts (ZEN_ATTEMPT, 1 unless set), the last one for all later attempts.
`behaviours` are what it can do, `task` what it reads in a prompt, `agent` speaks ACP over `wire`. Started by
`orchestration.agents.drivers.scripted`; imported by nobody.
"""
