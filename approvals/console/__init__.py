"""What the commands `approval` and `policy` are made of: what they read, ask and show."""
