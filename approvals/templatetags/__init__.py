"""Template tags of the pages of approvals."""
