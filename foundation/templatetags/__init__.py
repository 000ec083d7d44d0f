"""Template filters that the pages of all apps use."""
