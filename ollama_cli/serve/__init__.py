"""The gateway behind ``serve``: Ollama's local API, with cloud requests signed and the rest left to a daemon."""

DEFAULT_PORT = 11434
"""Where clients of Ollama look for it."""
