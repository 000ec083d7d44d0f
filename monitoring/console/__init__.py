"""Health as text, for people at a terminal.

`show` prints what `queries` and `health_check` give, in the same words as the API has them. No part of it decides
anything, and none reads rows. Tables fold where they are too wide, and are cut nowhere. Imported by
`management/commands/monitor` alone.
"""
