"""``search``: what ollama.com finds on the web."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command
from ollama_cli.commands.typed import as_text
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.api.web import SearchResult
    from ollama_cli.context import Context
    from ollama_cli.terminal.streams import Streams

_EXCERPT = 300
"""Characters of a page's text that a terminal shows; `--json` and a pipe have all of it."""


@dataclass(frozen=True)
class SearchOptions:
    """What the command line of ``search`` says.

    Attributes:
        words: What to search for.
        max_results: How many results there may be; None leaves it to the server.
        as_json: Whether to print JSON.
        cloud: Whether to ask ollama.com whatever OLLAMA_HOST says.
    """

    words: tuple[str, ...]
    max_results: int | None = None
    as_json: bool = False
    cloud: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search", cls=Command)(search)


def search(
    typer_context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="QUERY...", show_default=False)],
    max_results: Annotated[
        int | None, typer.Option("--max-results", metavar="N", help="How many results at most: 1 to 10.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="At ollama.com, whatever OLLAMA_HOST says.")] = False,
) -> None:
    """Search the web with ollama.com.

    Each result has a title, an address and a text. A terminal shows the beginning of each text; a pipe and --json get
    all that was found.
    """
    run(typer_context.obj, SearchOptions(tuple(words), max_results, as_json, cloud))


def run(context: Context, options: SearchOptions) -> None:
    """Search, and print what was found.

    Raises:
        UsageError: There is nothing to search for, or that many results are never given.
        SignInError: The server refuses the credential.
        AnswerError: The answer holds no results.
    """
    from ollama_cli.api.place import account_place
    from ollama_cli.api.web import MOST_RESULTS
    from ollama_cli.commands.shared.asking import ask

    query = " ".join(map(as_text, options.words)).strip()
    if not query:
        raise UsageError("There is nothing to search for.", hint='Such as: `ollama-cli search "ollama cloud models"`')
    if options.max_results is not None and not 1 <= options.max_results <= MOST_RESULTS:
        raise UsageError(f"--max-results takes a number from 1 to {MOST_RESULTS}, not {options.max_results}.")
    place = account_place(context.settings, cloud=options.cloud)
    results, active = ask(
        context,
        place,
        lambda client: client.web_search(query, max_results=options.max_results, through_daemon=place.kind == "daemon"),
    )
    if place.kind == "cloud":
        context.note_signed_in(place, active)
    if options.as_json:
        context.streams.answer(json.dumps({"results": [asdict(result) for result in results]}))
    elif results:
        context.streams.answer("\n\n".join(_shown(result, context.streams) for result in results))
    else:
        context.streams.say("Nothing was found.")


def _shown(result: SearchResult, streams: Streams) -> str:
    """A result in three lines or more: title, address, text; without control sequences, for it is anybody's."""
    from ollama_cli.terminal.sanitize import clean, clean_line

    title, url = clean_line(result.title) or "(no title)", clean_line(result.url)
    if not streams.out.isatty():
        return "\n".join(filter(None, (title, url, clean(result.content).strip())))
    text = clean_line(" ".join(result.content.split()))
    excerpt = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rsplit(' ', 1)[0]}…"
    if streams.color and not streams.dumb:
        title = f"\x1b[1m{title}\x1b[0m"
    return "\n".join(filter(None, (title, url, _wrapped(excerpt, streams))))


def _wrapped(text: str, streams: Streams) -> str:
    from ollama_cli.terminal.layout import terminal_layout

    layout = terminal_layout(streams, markdown=False)
    return f"{layout.feed(text)}{layout.end()}".rstrip("\n")
