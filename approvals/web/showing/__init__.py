"""Content of any origin, made into blocks that a page can show.

`blocks` chooses a block by the type of a value and bounds its size; `recognised` finds diffs, tables and pictures among
them, `marked` makes Markdown. Nothing that a user wrote reaches a page as HTML of its own.
Imported by `approvals.web` and by the admin's page of a request.
"""

from approvals.web.showing.blocks import Block, Budget, action_of, blocks_of
from approvals.web.showing.marked import described, markdown
from approvals.web.showing.recognised import diff_lines, is_diff

__all__ = ["Block", "Budget", "action_of", "blocks_of", "described", "diff_lines", "is_diff", "markdown"]
