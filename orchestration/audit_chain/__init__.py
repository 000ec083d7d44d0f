"""The audit cannot be changed unseen: hash chains, signed seals over their ends, and what checks both."""
