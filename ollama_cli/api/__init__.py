"""Ollama's API: where a command acts, what it asks, and what comes back."""
