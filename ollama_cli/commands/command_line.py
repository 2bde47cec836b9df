"""What the reference's command lines can say and Typer's cannot: optional values, and ``--flag=true|false``."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from typer.core import TyperCommand, TyperOption

from ollama_cli.api.parameters import parse_switch
from ollama_cli.errors import UsageError


class Command(TyperCommand):
    """A subcommand that reads options as the reference does.

    A subclass names the options whose value may be left out, with the value that they have then; such a value is
    taken after ``=`` only, so that a prompt is never swallowed.
    """

    optional_values: ClassVar[Mapping[str, str]] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer keeps the type to itself
        """Rewrite the arguments into what Typer reads, and have it read them."""
        options = [parameter for parameter in self.params if isinstance(parameter, TyperOption)]
        flags = {name for option in options if option.is_flag for name in option.opts if name.startswith("--")}
        valued = {name for option in options if not option.is_flag for name in option.opts}
        return super().parse_args(ctx, normalised(args, flags, valued, self.optional_values))


def seconds(value: float | None) -> float | None:
    """Check a time that was given: a number, however large. For ``callback`` of an option.

    Raises:
        UsageError: It is none.
    """
    if value is not None and math.isnan(value):
        raise UsageError("A time is a number of seconds.", hint="Such as 30 or 0.5.")
    return value


def normalised(args: Sequence[str], flags: set[str], valued: set[str], optional_values: Mapping[str, str]) -> list[str]:
    """Arguments without optional values and without values for flags.

    Args:
        args: The arguments after the subcommand.
        flags: Long options that are switches.
        valued: Options that take a value, in one argument or the next.
        optional_values: Options whose value may be left out, and what it is then.

    Raises:
        UsageError: A switch has a value that is neither true nor false.
    """
    result: list[list[str]] = []  # an option and its value stay together
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        name, equals, value = arg.partition("=")
        if arg == "--":
            result.append([arg, *rest])
            break
        if name in optional_values:
            result.append([arg if equals else f"{name}={optional_values[name]}"])
        elif arg in valued:
            result.append([arg, *rest[:1]])
            rest = rest[1:]
        elif equals and name in flags:
            switched_on = parse_switch(value)
            if switched_on is None:
                raise UsageError(f"{name} takes true or false, not {value!r}.")
            result = [other for other in result if other != [name]]
            if switched_on:
                result.append([name])
        else:
            result.append([arg])
    return [arg for group in result for arg in group]


def as_text(typed: str) -> str:
    """What was typed, read as UTF-8 whatever the locale says; what is no UTF-8 is replaced, for no request holds it."""
    return os.fsencode(typed).decode("utf-8", "replace")
