"""How an approval is waited for, as the command lines of ``signin`` and ``keys rotate`` say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from ollama_cli.commands.command_line import seconds
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.account.signin import Waiting
    from ollama_cli.terminal.streams import Streams

NoBrowser: TypeAlias = Annotated[bool, typer.Option("--no-browser", help="Print the link only.")]
Qr: TypeAlias = Annotated[bool, typer.Option("--qr", help="Draw the link as a QR code too, on stderr.")]
Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option("--timeout", min=0, callback=seconds, metavar="SECONDS", help="How long to wait for the approval."),
]
NoWait: TypeAlias = Annotated[bool, typer.Option("--no-wait", help="Print the link and end.")]
DeviceName: TypeAlias = Annotated[
    str | None, typer.Option("--name", metavar="DEVICE", help="What to call this device; by default its host name.")
]


@dataclass(frozen=True)
class ApprovalOptions:
    """What a command line says about an approval.

    Attributes:
        browser: Whether to open one.
        qr: Whether to draw the link as a QR code too.
        timeout: Seconds to wait; None is the default for where it runs.
        wait: Whether to wait at all.
        name: What to call this device; None is the host name.
    """

    browser: bool = True
    qr: bool = False
    timeout: float | None = None
    wait: bool = True
    name: str | None = None


def waiting_for(streams: Streams, options: ApprovalOptions, *, as_json: bool) -> Waiting:
    """How to wait for the approval, by what the command line says and whether somebody is there.

    Args:
        streams: Where the link is shown.
        options: What the command line says.
        as_json: Whether stdout is for JSON, so that the link has to stand elsewhere.

    Raises:
        UsageError: The device's name is too long, or options do not go together.
    """
    from ollama_cli.account.signin import SECONDS_FOR_A_PERSON, Waiting
    from ollama_cli.context import LONGEST_DEVICE_NAME

    if options.name is not None and len(options.name) > LONGEST_DEVICE_NAME:
        raise UsageError(
            f"A device's name has at most {LONGEST_DEVICE_NAME} characters.", hint="Give a shorter --name."
        )
    if options.timeout is not None and not options.wait:
        raise UsageError("--no-wait does not wait, and --timeout says how long to.", hint="Leave one of them out.")
    by_default = SECONDS_FOR_A_PERSON if streams.interactive else 0
    patience = options.timeout if options.timeout is not None else by_default
    return Waiting(
        seconds=patience if options.wait else 0,
        browser=options.browser and streams.interactive,
        print_link=_link_printer(streams, qr=options.qr, as_json=as_json),
    )


def _link_printer(streams: Streams, *, qr: bool, as_json: bool) -> Callable[[str], None]:
    """What shows the link: on a line that holds nothing else, so that it can be copied whole at any width."""

    def show(link: str) -> None:
        if qr:
            from ollama_cli.terminal.qr import show_qr

            show_qr(streams, link)
        (streams.say if as_json else streams.answer)(link)

    return show
