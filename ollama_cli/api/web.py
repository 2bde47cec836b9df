"""What ollama.com finds on the web: the answers of ``/api/web_search`` and ``/api/web_fetch``."""

from __future__ import annotations

from dataclasses import dataclass

from ollama_cli.errors import AnswerError

MOST_RESULTS = 10
"""Results that a search may be asked for."""


@dataclass(frozen=True)
class SearchResult:
    """A page that was found.

    Attributes:
        title: What it calls itself.
        url: Where it is.
        content: What stands in it, or a part of that.
    """

    title: str
    url: str
    content: str


@dataclass(frozen=True)
class WebPage:
    """A page that was loaded.

    Attributes:
        title: What it calls itself.
        content: Its text, mostly as Markdown.
        links: The addresses that it leads to.
    """

    title: str
    content: str
    links: tuple[str, ...]


def results_of(content: object) -> list[SearchResult]:
    """Read the answer to a search; ``null`` in the place of the list means that nothing was found.

    Raises:
        AnswerError: It is no such answer.
    """
    if not isinstance(content, dict) or "results" not in content:
        raise _no_answer()
    found = content["results"] or []
    if not isinstance(found, list) or not all(isinstance(result, dict) for result in found):
        raise _no_answer()
    return [SearchResult(*(_text(result.get(name)) for name in ("title", "url", "content"))) for result in found]


def page_of(content: object) -> WebPage:
    """Read the answer to a fetch.

    Raises:
        AnswerError: It is no such answer.
    """
    if not isinstance(content, dict) or not isinstance(content.get("content"), str):
        raise _no_answer()
    links = content.get("links") or []
    if not isinstance(links, list):
        raise _no_answer()
    return WebPage(_text(content.get("title")), _text(content["content"]), tuple(map(_text, links)))


def _text(told: object) -> str:
    """A text, or nothing; what is half of a character in it cannot be written, and is replaced."""
    if not isinstance(told or "", str):
        raise _no_answer()
    return str(told or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _no_answer() -> AnswerError:
    return AnswerError("The server sent something that is no answer from the web.", code="answer_invalid")
