"""The environment, read once into a frozen value."""

from ollama_cli.settings.environment import Settings, no_color_wanted
from ollama_cli.settings.hosts import CLOUD_URL, Host, is_loopback, parse_host

__all__ = ["CLOUD_URL", "Host", "Settings", "is_loopback", "no_color_wanted", "parse_host"]
