"""What a project may still spend: its budget with what people raised it to, and reservations against it.

`budget` is the bound as of now; `funds` counts what attempts have cost and hold, and reserves for the next one;
`asking` puts the end of the money to people, once for the whole project. Money is exact decimals. An attempt holds what
it reserved until its session has ended, and from then on what it has cost, so what it did not use is free again; one
whose lease of an endpoint has lapsed is lost, and holds nothing. Two attempts never reserve the same money: each looks
and writes under the project's lock.

Imported by `execution.agent_step` and `projects.queries`; imports `inquiries`, models and `core`.
"""
