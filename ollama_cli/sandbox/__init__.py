"""A stand-in for ollama.com on this machine: real signatures, pages that approve a device, models that only pretend."""
