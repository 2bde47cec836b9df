"""What the command line of ``api`` says, and the request that it makes."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_cli.commands.typed import as_text
from ollama_cli.errors import UsageError

if TYPE_CHECKING:
    from ollama_cli.api.place import Place
    from ollama_cli.api.raw import RawRequest
    from ollama_cli.commands.api.body import LargeBody
    from ollama_cli.settings import Settings

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_OURS = frozenset({"CONNECT", "TRACE"})
_SET_BY_US = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "host",
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True)
class ApiOptions:
    """What the command line of ``api`` says.

    Attributes:
        method: The HTTP method, in any case.
        path: A path, or an address at the place.
        data: The body: text, ``@FILE`` or ``-``; None is none.
        fields: ``NAME=VALUE`` for a JSON body, with values of any type.
        raw_fields: The same, with values that are text.
        headers: ``NAME:VALUE``.
        stream: Whether the answer is passed on by lines, whatever it says it is.
        include: Whether status and headers are printed too.
        cloud: Whether to ask ollama.com whatever OLLAMA_HOST says.
        local: Whether to ask the daemon.
    """

    method: str
    path: str
    data: str | None = None
    fields: tuple[str, ...] = ()
    raw_fields: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    stream: bool = False
    include: bool = False
    cloud: bool = False
    local: bool = False


def place_of(options: ApiOptions, settings: Settings) -> Place:
    """Where the request goes: as account commands, or with ``--local`` the daemon.

    Raises:
        UsageError: Both are asked for.
        SafetyError: OLLAMA_HOST is ollama.com without TLS.
        ForbiddenError: It would be the cloud, and that is disabled.
    """
    from ollama_cli.api.place import account_place, daemon_place

    if options.cloud and options.local:
        raise UsageError("Use one of --cloud and --local.")
    return daemon_place(settings) if options.local else account_place(settings, cloud=options.cloud)


def request_of(options: ApiOptions, place: Place) -> RawRequest:
    """The request that a command line makes.

    Raises:
        SafetyError: It would go to another server.
        UsageError: Something on the command line, or a file that it names, cannot be used.
    """
    from ollama_cli.api.raw import RawRequest, url_at

    method = options.method.upper()
    if not re.fullmatch(r"[A-Z]+", method) or method in _NOT_OURS:
        raise UsageError(f"{options.method!r} is no method that can be used.", hint="Such as GET, POST or DELETE.")
    url = url_at(place, as_text(options.path))
    headers = [_header(text) for text in options.headers]
    body, model = _body(options)
    given = {name.lower() for name, _ in headers}
    if "accept" not in given:
        headers.append(("Accept", "*/*"))
    if body is not None and "content-type" not in given:
        headers.append(("Content-Type", "application/json"))
    if body is not None and not isinstance(body, bytes):
        headers.append(("Content-Length", str(body.size)))
    return RawRequest(method, url, tuple(headers), body, model)


def _header(text: str) -> tuple[str, str]:
    """Read ``NAME:VALUE``.

    Raises:
        UsageError: It is no header, or one that the credential or the connection depends on.
    """
    name, colon, value = text.partition(":")
    value = value.strip(" \t")
    if name.strip().lower() in _SET_BY_US:
        raise UsageError(
            f"The header {name.strip()} is set by ollama-cli itself.",
            hint="Another credential is given with --key-file or OLLAMA_API_KEY, another server with OLLAMA_HOST.",
        )
    if not colon or not _TOKEN.fullmatch(name) or not re.fullmatch(r"[\t\x20-\x7e]*", value):
        raise UsageError(f"{name!r} is no header.", hint="Write it as NAME:VALUE, in ASCII.")
    return name, value


def _body(options: ApiOptions) -> tuple[bytes | LargeBody | None, str | None]:
    """The body, and the model that it names."""
    from ollama_cli.commands.api.body import read_body, read_text

    if options.data is None and not options.fields and not options.raw_fields:
        return None, None
    if options.data is not None and (options.fields or options.raw_fields):
        raise UsageError("Use one of --data and --field.")
    if options.data is None:
        from ollama_cli.commands.api.fields import body_of_fields

        content = body_of_fields([*map(as_text, options.raw_fields)], [*map(as_text, options.fields)], read_text)
        return json.dumps(content).encode(), _model_in(content)
    if options.data == "-" or options.data.startswith("@"):
        body = read_body(options.data.removeprefix("@"))
    else:
        body = os.fsencode(options.data)
    return body, _model_in(_json(body)) if isinstance(body, bytes) else None


def _json(body: bytes) -> object:
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content


def _model_in(content: object) -> str | None:
    """The model that a body names, so that a 404 can be told to be about it."""
    model = content.get("model") if isinstance(content, dict) else None
    return model if isinstance(model, str) else None
