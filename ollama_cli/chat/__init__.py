"""The chat at a terminal: a session without a terminal, the line, the commands, and what is kept."""
