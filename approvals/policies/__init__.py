"""Policies, and the people that they mean.

`publish` stores versions, `principals` resolves users, groups, roles and addresses to people as they are now,
`conditions` evaluates the policy's CEL, `holidays` and `local_times` are its calendar, `delegation_rules` says who may
decide for an account that is away, `checks` refuses what nobody could approve, and names what is valid and probably
not meant.

A published version never changes. People are compared by account and mailbox, never by a name that was typed. Imported
by `queries`, `requests`, `simulation` and doors; imports `models`, `core` and notifications.
"""
