"""A module a subcommand: its options as one value, how the command line becomes that value, and ``run``."""
