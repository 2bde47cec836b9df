"""The environment, read once into a frozen value."""

from ollama_cli.settings.environment import SECRET_VARIABLES, Settings, dumb_terminal, no_color_wanted
from ollama_cli.settings.hosts import CLOUD_URL, Host, is_loopback, parse_host

__all__ = [
    "CLOUD_URL",
    "SECRET_VARIABLES",
    "Host",
    "Settings",
    "dumb_terminal",
    "is_loopback",
    "no_color_wanted",
    "parse_host",
]
