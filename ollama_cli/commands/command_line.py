"""What the reference's command lines can say and Typer's cannot: optional values, and ``--flag=true|false``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from typer.core import TyperCommand, TyperOption
from typer.exceptions import TyperException

from ollama_cli.api.parameters import parse_switch
from ollama_cli.errors import CliError, UsageError
from ollama_cli.terminal.errors import in_cloud


class Command(TyperCommand):
    """A subcommand that reads options as the reference does.

    A subclass names the options whose value may be left out, with the value that they have then; such a value is
    taken after ``=`` only, so that a prompt is never swallowed.
    """

    optional_values: ClassVar[Mapping[str, str]] = {}
    takes_profile: ClassVar[bool] = True
    at_ollama_com: ClassVar[bool] = False

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **settings: Any) -> None:  # noqa: ANN401
        profile = TyperOption(
            param_decls=["--profile"],
            metavar="NAME",
            expose_value=False,
            callback=_choose_profile,
            help="Act as this profile; see `ollama-cli profile`.",
        )
        super().__init__(name, params=[*(params or ()), *([profile] if self.takes_profile else [])], **settings)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer keeps the type to itself
        """Rewrite the arguments into what Typer reads, and have it read them."""
        options = [parameter for parameter in self.params if isinstance(parameter, TyperOption)]
        flags = {name for option in options if option.is_flag for name in option.opts if name.startswith("--")}
        valued = {name for option in options if not option.is_flag for name in option.opts}
        return super().parse_args(ctx, normalised(args, flags, valued, self.optional_values))

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - see above
        """Run the command; what an error of ollama.com's account says to type has to go there as well.

        Raises:
            CliError: The command failed.
        """
        try:
            return super().invoke(ctx)
        except CliError as error:
            there = self.at_ollama_com or ctx.params.get("cloud") or ctx.params.get("direct")
            if there and ctx.obj.settings.names_daemon:
                error.hint = error.hint and in_cloud(error.hint)
            raise


class KeysCommand(Command):
    """A subcommand that acts at ollama.com, whatever OLLAMA_HOST says."""

    at_ollama_com = True


class LocalCommand(Command):
    """A subcommand to which it is all one which profile counts."""

    takes_profile = False


class SecretCommand(Command):
    """A subcommand that is given secrets, but never on its command line: one that stands there is not repeated."""

    _SWITCHES = ("--api-key", "--token", "--basic")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - see above
        """Read the arguments; a secret among them is refused.

        Raises:
            UsageError: One of the switches has a value.
        """
        values = [arg.partition("=")[2] for arg in args if arg.startswith(tuple(f"{name}=" for name in self._SWITCHES))]
        if any(parse_switch(value) is None for value in values):
            raise _secret_in_arguments()
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            if "unexpected extra argument" in str(error) and any(name in args for name in self._SWITCHES):
                raise _secret_in_arguments() from None
            raise


def _secret_in_arguments() -> UsageError:
    return UsageError(
        "A secret stands on the command line, where other users of this machine can see it.",
        hint="Leave it out: it is asked for, or read from standard input. Revoke the one that stood there.",
        code="secret_in_arguments",
    )


def _choose_profile(ctx: Any, _: object, value: str | None) -> str | None:  # noqa: ANN401 - see above
    """Have a command act as the profile that it names; that goes before what stands before the command."""
    if value is not None and not ctx.resilient_parsing:
        from ollama_cli.settings.profile_name import profile_name

        ctx.obj.options = ctx.obj.options._replace(profile=profile_name(value, "--profile"))
    return value


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
