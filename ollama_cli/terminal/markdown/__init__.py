"""Markdown at a terminal: shown as it arrives, each piece of work done once."""

from ollama_cli.terminal.markdown.document import MarkdownText

__all__ = ["MarkdownText"]
