"""A group of commands that imports a command's module when the command is asked for, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class Listed(NamedTuple):
    """A command in the table of a group.

    Attributes:
        name: What it is called on the command line.
        module: Its module below ``ollama_cli.commands``; what its ``register`` adds is the command.
        summary: The first line of its help. It stands here too, so that the help of the group and completion need not
            import the module; a test compares them. An alias has none.
        hidden: Whether help leaves it out: another name for a command that has one.
    """

    name: str
    module: str
    summary: str = ""
    hidden: bool = False


class LazyCommands(Mapping[str, Any]):
    """The commands of a table by name; each is imported and built when it is looked up.

    Args:
        table: The table.
    """

    def __init__(self, table: Sequence[Listed]) -> None:
        self._listed = {listed.name: listed for listed in table}
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - Typer keeps the type of its commands to itself
        if name not in self._built:
            self._built[name] = _build(self._listed[name])
        return self._built[name]

    def __contains__(self, name: object) -> bool:
        return name in self._listed

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


class LazyGroup(TyperGroup):
    """A group whose commands stand in ``table``; ``lazy_group`` makes a class of it for each table."""

    table: Sequence[Listed] = ()

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - whatever Typer gives a group
        super().__init__(**attributes)
        commands: Any = LazyCommands(self.table)
        self.commands = commands

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - as Typer has it
        """The command of a name, or None."""
        if cmd_name not in self.commands:
            return None
        return self.commands[cmd_name]  # not `get`, to which a KeyError in the module would be "no such command"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as Typer has it
        """Read what stands before the command; a group by itself shows its help, which Typer would make an error of."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            args = ["--help"]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - as Typer has it
        """Write the list of commands from the table, in Typer's layout."""
        shown = [listed for listed in self.table if not listed.hidden]
        limit = formatter.width - 6 - max(len(listed.name) for listed in shown)
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, TyperCommand(name, help=summary).get_short_help_str(limit)) for name, _, summary, _ in shown]
            )


def lazy_group(commands: Sequence[Listed]) -> type[LazyGroup]:
    """A class for ``typer.Typer(cls=…)``: a group with the commands of a table."""
    return type("CommandGroup", (LazyGroup,), {"table": tuple(commands)})


def _build(listed: Listed) -> Any:  # noqa: ANN401 - a TyperCommand or a TyperGroup
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    import_module(f"ollama_cli.commands.{listed.module}").register(app)
    command: Any = get_command(app)
    if isinstance(command, TyperGroup):  # a group adds itself to the one that Typer makes of an app
        (command,) = command.commands.values()
    command.name, command.hidden = listed.name, listed.hidden
    return command
