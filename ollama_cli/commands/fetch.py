"""``fetch``: a page of the web, as text, loaded by ollama.com."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.commands.typed import as_text
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.api.web import WebPage
    from ollama_cli.context import Context
    from ollama_cli.terminal.streams import Streams


@dataclass(frozen=True)
class FetchOptions:
    """What the command line of ``fetch`` says.

    Attributes:
        url: The page's address.
        links: Whether to print the links in the place of the text.
        markdown: Whether a terminal is shown the text laid out.
        as_json: Whether to print JSON.
        cloud: Whether to ask ollama.com whatever OLLAMA_HOST says.
    """

    url: str
    links: bool = False
    markdown: bool = True
    as_json: bool = False
    cloud: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("fetch", cls=Command)(fetch)


def fetch(
    typer_context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", show_default=False)],
    links: Annotated[
        bool, typer.Option("--links", help="Print the page's links, one a line, and not its text.")
    ] = False,
    markdown: Annotated[
        bool,
        typer.Option(
            "--markdown/--plain", show_default=False, help="At a terminal, lay the text out (the default), or do not."
        ),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="At ollama.com, whatever OLLAMA_HOST says.")] = False,
) -> None:
    """Print the text of a page of the web, which ollama.com loads.

    It is ollama.com that visits the page, not this machine; what only this machine can reach cannot be fetched.
    """
    run(typer_context.obj, FetchOptions(url, links, markdown, as_json, cloud))


def run(context: Context, options: FetchOptions) -> None:
    """Have a page loaded, and print it.

    Raises:
        UsageError: There is no address, or the server does not take it.
        SignInError: The server refuses the credential.
        AnswerError: The answer holds no page.
    """
    from ollama_cli.api.place import account_place
    from ollama_cli.commands.shared.asking import ask
    from ollama_cli.terminal.sanitize import clean_line

    url = as_text(options.url).strip()
    if not url:
        raise UsageError("There is no address to fetch.", hint="Such as: `ollama-cli fetch https://ollama.com`")
    if options.links and options.as_json:
        raise UsageError("Use one of --links and --json, which holds the links too.")
    place = account_place(context.settings, cloud=options.cloud)
    page, active = ask(context, place, lambda client: client.web_fetch(url, through_daemon=place.kind == "daemon"))
    if place.kind == "cloud":
        context.note_signed_in(place, active)
    if options.as_json:
        context.streams.answer(json.dumps(asdict(page)))
    elif options.links:
        for link in page.links:
            context.streams.answer(clean_line(link))
    else:
        _show(page, context.streams, markdown=options.markdown)


def _show(page: WebPage, streams: Streams, *, markdown: bool) -> None:
    """Print title and text. They are anybody's, so control sequences are taken out for a pipe too."""
    from ollama_cli.terminal.layout import terminal_layout
    from ollama_cli.terminal.sanitize import clean, clean_line

    text = clean(page.content).strip("\n")
    title = clean_line(page.title)
    if title and not text.startswith(f"# {title}"):  # many a page begins with it
        text = f"# {title}\n\n{text}"
    if not streams.out.isatty():
        streams.answer(text)
        return
    layout = terminal_layout(streams, markdown=markdown)
    streams.write(layout.feed(text))
    streams.write(layout.end())
