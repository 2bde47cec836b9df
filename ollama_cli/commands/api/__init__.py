"""``api``: any request to a server, with the credential that goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.api.options import ApiOptions, place_of, request_of
from ollama_cli.commands.command_line import Command
from ollama_cli.errors import CliError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.raw import AnswerHead, RawRequest
    from ollama_cli.context import Context
    from ollama_cli.terminal.streams import Streams

_LINES_OF_JSON = frozenset({"application/x-ndjson", "application/jsonl"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("api", cls=Command)(api)


def api(
    typer_context: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", show_default=False, help="Such as GET or POST.")],
    path: Annotated[
        str, typer.Argument(metavar="PATH", show_default=False, help="Such as /api/tags; or an address at that server.")
    ],
    data: Annotated[
        str | None, typer.Option("--data", "-d", metavar="TEXT", help="The body: a text, @FILE, or - for stdin.")
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            "-F",
            metavar="NAME=VALUE",
            help="A field of a JSON body: any JSON, a text, or @FILE for a file's text (repeatable).",
        ),
    ] = None,
    raw_fields: Annotated[
        list[str] | None,
        typer.Option(
            "--raw-field", "-f", metavar="NAME=VALUE", help="A field whose value is text in any case (repeatable)."
        ),
    ] = None,
    headers: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="NAME:VALUE", help="A header of the request (repeatable)."),
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Take the answer for a stream of lines, whatever it says it is.")
    ] = False,
    include: Annotated[bool, typer.Option("--include", "-i", help="Print status and headers too.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Ask the Ollama server of this machine.")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="At ollama.com, whatever OLLAMA_HOST says.")] = False,
    _as_json: Annotated[bool, typer.Option("--json", help="Tell an error as one JSON object.")] = False,
) -> None:
    """Send a request to ollama.com, signed, and print its answer.

    With OLLAMA_HOST it goes there instead. The credential goes to that server and to no other.

    A body's fields nest: -F options[seed]=7 -f messages[][role]=user -f messages[][content]=Hello
    """
    options = ApiOptions(
        method=method,
        path=path,
        data=data,
        fields=tuple(fields or ()),
        raw_fields=tuple(raw_fields or ()),
        headers=tuple(headers or ()),
        stream=stream,
        include=include,
        cloud=cloud,
        local=local,
    )
    run(typer_context.obj, options)


def run(context: Context, options: ApiOptions) -> None:
    """Send the request, and print the answer, also one that is an error.

    Raises:
        SafetyError: It would go to another server, or in the clear with a credential.
        SignInError: The server refuses the credential.
        AnswerError: The answer broke off; what came of it is printed.
    """
    from ollama_cli.commands.shared.asking import ask

    if options.local and context.options.sandbox:
        raise UsageError("--local is another server than the sandbox.", hint="Use one of --local and --sandbox.")
    place = place_of(options, context.settings)
    exchange = _Printing(context.streams, options, request_of(options, place))
    try:
        ask(context, place, exchange.send)
    except CliError:
        exchange.show_refusal()
        raise


class _Printing:
    """Sends a request, and prints what is answered.

    Args:
        streams: Where it goes.
        options: The command line.
        request: The request.
    """

    def __init__(self, streams: Streams, options: ApiOptions, request: RawRequest) -> None:
        self._streams = streams
        self._options = options
        self._request = request
        self._refusal: tuple[AnswerHead, bytes] | None = None

    def send(self, client: OllamaClient) -> None:
        """Send the request, and print the answer as it arrives."""
        from ollama_cli.api.raw import watched
        from ollama_cli.terminal.bodies import show_body

        with client.raw(self._request, on_refusal=self._keep) as (head, parts):
            self._refusal = None
            self._show_head(head)
            by_lines = self._options.stream or head.content_type in _LINES_OF_JSON
            body: Iterator[bytes] = watched(parts, self._request.model) if by_lines else parts
            show_body(self._streams, body, as_it_comes=by_lines)

    def show_refusal(self) -> None:
        """Print the last answer that was an error. A terminal gets only our words about it, unless it wants all."""
        from ollama_cli.terminal.bodies import show_body

        if self._refusal is None or (self._streams.out.isatty() and not self._options.include):
            return
        head, body = self._refusal
        self._show_head(head)
        show_body(self._streams, [body], as_it_comes=False)

    def _keep(self, head: AnswerHead, body: bytes) -> None:
        self._refusal = (head, body)

    def _show_head(self, head: AnswerHead) -> None:
        from ollama_cli.terminal.sanitize import clean_line

        if self._options.include:
            first = f"{head.version} {head.status} {head.reason}".rstrip()
            lines = [first, *(f"{name}: {value}" for name, value in head.headers)]
            self._streams.write("".join(f"{clean_line(line)}\n" for line in [*lines, ""]))
