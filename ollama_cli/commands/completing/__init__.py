"""What Tab completes in a shell: the scripts for the shells, and what they ask the program for."""

COMPLETE = "__complete"
"""The first word of what the scripts ask; see ``answer.py``."""

REFRESH = "refresh"
"""The word after it by which the program has itself ask the servers for their models; see ``models.py``."""
