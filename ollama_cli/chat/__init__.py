"""The chat at a terminal: the conversation, what is typed (``entry``), the commands, and what is kept (``kept``)."""
