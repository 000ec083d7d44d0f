"""Content from anywhere, made into blocks that a page can show: by type, bounded, and harmless."""

from approvals.admin.showing.blocks import Block, Budget, action_of, blocks_of
from approvals.admin.showing.diffs import diff_lines, is_diff
from approvals.admin.showing.marked import described, markdown

__all__ = ["Block", "Budget", "action_of", "blocks_of", "described", "diff_lines", "is_diff", "markdown"]
