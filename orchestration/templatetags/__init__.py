"""Template tags of the pages of orchestration."""
