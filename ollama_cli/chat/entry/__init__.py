"""What a person types: the line, earlier lines, an editor for a long one, and what an entry is once it is typed."""
