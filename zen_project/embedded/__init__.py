"""Real servers as children of this process: they start with it and end with it, also when it is killed."""
