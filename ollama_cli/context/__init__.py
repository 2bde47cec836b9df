"""The composition root: makes what a command needs, when it is first asked for.

Nothing is imported or opened before that, so that a command pays only for what it uses. Every side effect (streams,
browser, questions, clock, stores, network) reaches a command through here, and a test can put another in its place.

A ``Context`` is one value in four layers, each of which needs those before it: where the command is
(``surroundings``), as whom it acts (``identity``), whom it asks (``servers``), and how this device signs in
(``device``).
"""

from ollama_cli.context.device import LONGEST_DEVICE_NAME, Context
from ollama_cli.context.starting import start
from ollama_cli.context.surroundings import GlobalOptions

__all__ = ["LONGEST_DEVICE_NAME", "Context", "GlobalOptions", "start"]
