"""Content from anywhere, made into blocks that a page can show: by type, bounded, and harmless."""

from approvals.admin.showing.blocks import Block, Budget, blocks_of
from approvals.admin.showing.diffs import diff_lines, is_diff
from approvals.admin.showing.marked import markdown

__all__ = ["Block", "Budget", "blocks_of", "diff_lines", "is_diff", "markdown"]
