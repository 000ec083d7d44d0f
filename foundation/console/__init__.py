"""What all commands of manage.py share: exit codes, confirmation, tables, and how errors are told.

`exit_codes.guarded` turns a service's refusal into a line on stderr and an exit code; `confirm` shows what would happen
and asks; `tables` and `text` print; `pairs` reads KEY=VALUE options; `command.ConsoleCommand` is the base class.

stdout has the answer alone, stderr what is for people. At a terminal an answer is a table, otherwise lines with fields
apart by tabs; `--json` prints one JSON value. Text that users wrote is printed with its control characters spelled out.
Imported by the `management` and `console` packages of the apps.
"""
