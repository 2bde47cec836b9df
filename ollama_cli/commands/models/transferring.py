"""What ``pull``, ``push`` and ``create`` have in common: their steps are shown as they come, or printed as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self, TypeAlias

import typer

from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.terminal.streams import Streams
    from ollama_cli.terminal.transfer_steps import Step


AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")]
Direct: TypeAlias = Annotated[
    bool, typer.Option("--direct", help="Do it without a server, in the folder that a server on this machine reads.")
]
Transfers: TypeAlias = Annotated[
    int | None,
    typer.Option("--transfers", metavar="N", min=1, max=64, help="With --direct: N parts at once, not 16."),
]
AsJsonLines: TypeAlias = Annotated[bool, typer.Option("--json-lines", help="Print a JSON object a line, a step each.")]


WITHOUT = "do it without a server: --direct."
"""What can be done where no daemon answers, as the end of a sentence."""


class Printed(Protocol):
    """How a command prints.

    Attributes:
        as_json: Whether to print one JSON object.
        as_json_lines: Whether to print a JSON object a step.
    """

    @property
    def as_json(self) -> bool: ...  # noqa: D102
    @property
    def as_json_lines(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class TransferOptions:
    """What the command line of ``pull`` or ``push`` says.

    Attributes:
        model: The model.
        insecure: Whether its registry may be spoken to without TLS.
        as_json: Whether to print one JSON object.
        as_json_lines: Whether to print a JSON object a step.
        direct: Whether no server shall take part.
        transfers: How many parts are transferred at once then; None is as many as usual.

    Raises:
        UsageError: Both kinds of JSON are wanted.
    """

    model: str
    insecure: bool = False
    as_json: bool = False
    as_json_lines: bool = False
    direct: bool = False
    transfers: int | None = None

    def __post_init__(self) -> None:
        require_one_form(self)


def require_one_form(options: Printed) -> None:
    """Refuse two kinds of JSON at once.

    Raises:
        UsageError: Both are wanted.
    """
    if options.as_json and options.as_json_lines:
        raise UsageError("Use one of --json and --json-lines.")


class Transfer:
    """Shows the steps of a transfer as they come, as a context manager.

    Args:
        streams: Where they are shown.
        options: How the command prints.
    """

    def __init__(self, streams: Streams, options: Printed) -> None:
        from ollama_cli.terminal.transfers import TransferProgress

        self._streams = streams
        self._options = options
        self._progress = TransferProgress(streams, lines=not options.as_json and not options.as_json_lines)
        self._layers: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, traceback)

    def show(self, step: Step) -> None:
        """Show a step."""
        if self._options.as_json_lines:
            self._streams.answer(json.dumps(_told(step)))
        else:
            self._progress.show(step)
        if step.digest:
            self._layers[step.digest] = step.total or self._layers.get(step.digest, 0)

    @property
    def layers(self) -> list[dict[str, Any]]:
        """Digest and size of each layer, in the order in which they came."""
        return [{"digest": digest, "size": size} for digest, size in self._layers.items()]


def follow(streams: Streams, steps: Iterable[Step], options: Printed) -> list[dict[str, Any]]:
    """Show each step of a transfer as it comes.

    Args:
        streams: Where they are shown.
        steps: The steps.
        options: How the command prints.

    Returns:
        Digest and size of each layer, in the order in which they came.
    """
    with Transfer(streams, options) as transfer:
        for step in steps:
            transfer.show(step)
    return transfer.layers


def tell_result(
    streams: Streams, result: dict[str, Any], options: Printed, sentence: str, answer: str | None = None
) -> None:
    """Tell what has come of a transfer.

    Args:
        streams: Where it is told.
        result: It as a JSON object, which is printed where JSON is wanted.
        options: How the command prints.
        sentence: It in words, which are told elsewhere.
        answer: What is printed on stdout then, or None.
    """
    if options.as_json_lines:
        streams.answer(json.dumps({**result, "done": True}))
    elif options.as_json:
        streams.answer(json.dumps(result))
    else:
        streams.say(sentence)
        if answer is not None:
            streams.answer(answer)


def _told(step: Step) -> dict[str, Any]:
    """A step as ``--json-lines`` prints it."""
    told: dict[str, Any] = {"status": step.status}
    if step.digest:
        told |= {"digest": step.digest, "total": step.total, "completed": step.completed}
    return told
