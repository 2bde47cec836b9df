"""A stand-in for ollama.com on this machine: real signatures, pages that approve a device, models that only pretend."""

DEFAULT_PORT = 11480
"""Where ``ollama-cli sandbox`` listens on 127.0.0.1 when it is not told."""
