"""Try a policy before it is published: simulate one request, or replay past ones against a draft.

`simulate` answers what one request (`core.content.Ask`) would lead to with given votes, and whether it can be approved
at all; `replay` gives the votes of past requests to another policy; `report` and `replay_report` make JSON and text of
the result, `text` the words of one moment.

Nothing is written, and no message is stored. It resolves people and evaluates conditions by the same functions as
requests do. Imported by the console's commands.
"""
