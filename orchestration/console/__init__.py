"""What the console commands share: who acts, exit codes, how things are shown."""
