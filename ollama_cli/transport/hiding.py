"""What a server says, without what it repeats of the credential that it was sent."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from ollama_cli.errors import CliError

if TYPE_CHECKING:
    from ollama_cli.transport.lean_httpx import httpx

SHORTEST_PIECE = 10
"""Characters of a secret in a row that are hidden; a shorter secret is hidden where it stands whole."""

_INVISIBLE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")


@contextmanager
def hidden_in_errors(request: httpx.Request) -> Iterator[None]:
    """Take a request's credential out of every error of ours that is raised within."""
    try:
        yield
    except CliError as error:
        secrets = sent_secrets(request)
        error.message, error.server_words = hide(error.message, secrets), hide(error.server_words, secrets)
        error.args = (error.message,)
        error.hint = hide(error.hint, secrets) if error.hint else error.hint
        if error.signin_url and hide(error.signin_url, secrets) != error.signin_url:
            error.signin_url = None
        raise


def sent_secrets(request: httpx.Request) -> list[str]:
    """The parts of a request's credential that a server could repeat: API key, token, password, or signature."""
    sent = request.headers.get("Authorization", "")
    scheme, _, word = sent.rpartition(" ")
    secrets = [word if scheme else sent.rpartition(":")[2]]
    if scheme == "Basic":
        with suppress(ValueError):
            secrets.append(b64decode(word).decode().partition(":")[2])
    return [form for secret in secrets if secret for form in (secret, quote(secret, safe=""))]


def hide(text: str, secrets: list[str]) -> str:
    """A text without pieces of secrets, also where blanks or control characters stand between their letters."""
    gaps = {at for gap in _INVISIBLE.finditer(text) for at in range(*gap.span())}
    places = [at for at in range(len(text)) if at not in gaps]
    visible = "".join(text[at] for at in places)
    for start, end in reversed(_spans(visible, secrets)):
        text = f"{text[: places[start]]}[hidden]{text[places[end - 1] + 1 :]}"
    return text


def _spans(text: str, secrets: list[str]) -> list[tuple[int, int]]:
    """Where pieces of secrets stand in a text, in order, each as long as it goes."""
    spans: list[tuple[int, int]] = []
    for at in range(len(text)):
        for secret in secrets:
            end = at + min(SHORTEST_PIECE, len(secret))
            if end > len(text) or text[at:end] not in secret:
                continue
            if spans and at <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((at, end))
    return spans
