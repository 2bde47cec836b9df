"""What breaks off a daemon's work on a model, in our own words: the daemon tells it in a line of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from ollama_cli.api.failures import error_for, error_in_stream, status_told, tail_of, words_of
from ollama_cli.errors import AnswerError, CliError, ForbiddenError, ModelNotFoundError, UnavailableError, UsageError

DENIED = "registry_denied"
"""Code of a registry's refusal. Of one that a daemon tells, only its account says whether the registry knows it."""

_LONGEST_SAID = 1000
"""Characters at the beginning, and as many at the end, of what a daemon says that are looked at. It may say millions,
and some patterns below take the square of what they look at."""

_AGAIN = "Try again; what is there already is not transferred a second time."
_Make: TypeAlias = "Callable[[str, str], CliError]"


def _not_its_own(model: str, _: str) -> CliError:
    return ModelNotFoundError(f"The server has no model {model!r}.", model=model)


def _not_in_registry(model: str, _: str) -> CliError:
    return ModelNotFoundError(f"There is no model {model!r}.", model=model, http_status=HTTPStatus.NOT_FOUND)


def _denied(model: str, tail: str) -> CliError:
    return ForbiddenError(f"The registry does not give access to {model!r}{tail}", code=DENIED)


def _plain(_: str, tail: str) -> CliError:
    hint = "--insecure lets the server speak to it without."
    return UsageError(f"The registry does not speak TLS{tail}", hint=hint)


def _network(_: str, tail: str) -> CliError:
    return UnavailableError(f"The server cannot reach the registry{tail}", hint=_AGAIN, code="registry_unreachable")


def _no_room(_: str, tail: str) -> CliError:
    return UnavailableError(f"The server cannot store it{tail}", hint="Its disk may be full.", code="server_error")


def _damaged(_: str, tail: str) -> CliError:
    return AnswerError(f"What came is damaged{tail}", hint=_AGAIN)


def _bad_input(_: str, tail: str) -> CliError:
    return UsageError(f"The server cannot make a model of that{tail}", code="bad_request")


_NETWORK = r'"https?://\S+": |dial tcp|no such host|connection re(fused|set)|i/o timeout|max retries|part stalled'
_BAD_INPUT = (
    r"\bGGUF\b|safetensors|tensor|template|no files provided|unknown type|unsupported|not supported|only supported"
    r"|quantiz|architecture|adapter|\bDRAFT\b|\binvalid\b|must be|neither|requires|bad remote"
)
_KINDS: tuple[tuple[str, _Make], ...] = (  # what a daemon was seen to say; the first that fits counts
    (r"open .{1,500}?manifests.{1,500}?(no such file|cannot find)", _not_its_own),
    (r"(^|: )file does not exist$", _not_in_registry),
    (r"access denied|\bdenied\b.*\b(repository|access)|\bunauthorized\b|(^|: )40[13]\b", _denied),
    (r"insecure protocol http|gave HTTP response to HTTPS|not look like a TLS handshake", _plain),
    (_NETWORK, _network),
    (r"no space left|not enough space|disk quota|read-only file system|permission denied", _no_room),
    (r"digest mismatch", _damaged),
)
_KINDS_OF_CREATION = (*_KINDS, (_BAD_INPUT, _bad_input))
_STATUS = re.compile(r"(?:^|: )([45]\d\d)(?::|$)")


def error_in_work(content: dict[str, Any], model: str, *, creating: bool = False) -> CliError:
    """The error of a line ``{"error": …}`` in the answer to a pull, a push or a creation.

    Args:
        content: The line.
        model: The model that is loaded or sent; of a creation, the one that it begins from.
        creating: Whether the daemon makes a model out of what it was given.
    """
    said = words_of(content)
    if len(said) > 2 * _LONGEST_SAID:
        said = f"{said[:_LONGEST_SAID]} … {said[-_LONGEST_SAID:]}"
    error = _told(said, model, creating=creating)
    if error is None:
        broke_off = AnswerError(f"The server broke off the work{tail_of(said)}", hint=_AGAIN)
        error = error_in_stream(content, model) if status_told(content) else broke_off
    error.told_by_api, error.server_words = True, said
    return error


def _told(said: str, model: str, *, creating: bool) -> CliError | None:
    for pattern, make in _KINDS_OF_CREATION if creating else _KINDS:
        if re.search(pattern, said, re.IGNORECASE):
            return make(model, tail_of(said))
    if status := _STATUS.search(said):
        return error_for(int(status[1]), json.dumps({"error": said}).encode(), model=model)
    return None
