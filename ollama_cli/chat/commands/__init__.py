"""The commands of a chat: one table, from which dispatch, help and completion are made."""
