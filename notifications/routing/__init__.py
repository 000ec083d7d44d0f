"""Who hears of something, by which channel, and when. Decided once, when the notice is stored.

`recipients` finds the channels of a person, `plan_deliveries` makes the rows of a notice for one person, `quiet_hours`
and `frequency_cap` say before when they may not be sent.

Sending only follows what the rows say. Imported by `services` and `delivery`; approvals ask `recipients` whom no
message would reach.
"""
