"""Every command that there is, with arguments with which it has work to do.

The table of commands is walked, so that a command which is added later is tried with all others: each argument that it
needs is a word, unless a better line stands here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stored_credentials import keep_key
from support import Cli, make_device
from typer.core import TyperArgument, TyperCommand
from typer.main import get_command

from ollama_cli import DeviceKey
from ollama_cli.app import app
from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session
from ollama_cli.commands.lazy import LazyGroup

CLOUD, LOCAL = "gpt-oss:120b-cloud", "tiny"

ARGUMENTS: dict[str, list[str]] = {
    "api": ["GET", "/api/tags"],
    "chats export": ["1"],
    "chats search": ["sky"],
    "chats remove": ["1", "--yes"],
    "completion": ["bash"],
    "create": [LOCAL, "-f", "Modelfile"],
    "doctor": ["--cloud"],
    "fetch": ["https://example.com"],
    "keys export": ["-o", "exported", "--yes"],
    "keys import": ["key", "--profile", "second"],
    "keys revoke": ["--yes"],
    "profile remove": ["work", "--yes"],
    "profile use": ["default"],
    "run": [CLOUD, "hi"],
    "sandbox": ["--port", "70000"],
    "serve": ["--socket", "no/such/folder/socket"],
    "show": [CLOUD],
    "signin": ["--no-wait"],
}
"""What stands after a command's name; for those that run on until Ctrl-C, what has them end."""


def _walk(group: LazyGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for listed in group.table:
        command = group.commands[listed.name]
        if isinstance(command, LazyGroup):
            yield from _walk(command, (*path, listed.name))
        elif not listed.hidden:
            yield " ".join((*path, listed.name)), command


def _all() -> dict[str, TyperCommand]:
    root = get_command(app)
    assert isinstance(root, LazyGroup)
    return dict(_walk(root))


_ALL = _all()

EVERY_COMMAND = list(_ALL)
"""The names of all commands, those in groups too, without aliases."""


def command_line(name: str, *, as_json: bool = False) -> list[str]:
    """A command line that has a command do its work; with ``--json`` where it is asked for and there is one."""
    given = ARGUMENTS.get(name)
    if given is None:
        given = [
            LOCAL for parameter in _ALL[name].params if isinstance(parameter, TyperArgument) and parameter.required
        ]
    return [*name.split(), *(["--json"] if as_json and takes_json(name) else []), *given]


def takes_json(name: str) -> bool:
    """Whether a command has ``--json``."""
    return any("--json" in parameter.opts for parameter in _ALL[name].params)


def furnish(device: Cli, url: str) -> Cli:
    """Give every command something to work on."""
    make_device(device, url)
    keep_key(device, url, "work")
    session = Session("gpt-oss:120b", [Message("user", "Why is the sky blue?"), Message("assistant", "Because.")])
    KeptChat(Archive(device.home / "state" / "data" / "chats.sqlite3"), CLOUD, print).keep(session)
    (device.home / "Modelfile").write_text("FROM tiny\n")
    (device.home / "key").write_text(DeviceKey.generate().to_openssh().reveal())
    return device
