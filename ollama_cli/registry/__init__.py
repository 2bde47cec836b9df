"""Models straight from and to a registry, in the store that an Ollama daemon on this machine reads."""
