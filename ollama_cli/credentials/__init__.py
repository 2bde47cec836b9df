"""Who this machine is to a server: keys, where they are stored, and which one counts."""
