"""The Ollama server that other models than the cloud's are asked of, and its version."""

from __future__ import annotations

import json
import re
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from ollama_cli.diagnosis.asking import asking
from ollama_cli.diagnosis.finding import Finding, ok, remark
from ollama_cli.diagnosis.side_by_side import Family
from ollama_cli.errors import CliError, UnavailableError

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.diagnosis.session import Session
    from ollama_cli.diagnosis.side_by_side import Report

FIRST_WITH_CLOUD = (0, 12, 0)
"""The first release that runs cloud models and signs in, as its release notes say."""

_LONGEST_ANSWER = 4096


def daemon(session: Session, place: Place, active: Active | None, *, needed: bool) -> Family:
    """The check of a daemon.

    Args:
        session: How it is reached.
        place: Where it should be.
        active: What requests to it carry.
        needed: Whether it is a fault that none is there.
    """
    return Family(("daemon",), partial(_ask, session, place, active, needed))


def _ask(session: Session, place: Place, active: Active | None, needed: bool, report: Report) -> None:
    try:
        with asking(session, place, active) as client:
            body = _version_answer(client, place.base_url)
    except CliError as error:
        report(_unanswered(error, place, needed=needed))
    else:
        report(_judged(_version_in(body), place.base_url))


def _version_answer(client: OllamaClient, url: str) -> bytes:
    from ollama_cli.api.raw import RawRequest

    body = b""
    with client.raw(RawRequest("GET", f"{url}/api/version"), on_refusal=lambda *_: None) as (_, parts):
        for part in parts:
            body += part
            if len(body) > _LONGEST_ANSWER:
                break
    return body


def _unanswered(error: CliError, place: Place, *, needed: bool) -> Finding:
    """What it means that no version was told.

    Raises:
        CliError: That is a fault.
    """
    if error.code == "connection_refused":
        if needed:
            raise UnavailableError(
                f"No Ollama server answers at {place.base_url}.",
                hint="Start one with `ollama serve`.",
                code="no_daemon",
            ) from error
        told = f"None answers at {place.base_url}. Cloud models need none."
        return remark("daemon", told, "`ollama serve` starts one, for models on this machine.")
    if error.http_status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and not needed:
        return remark("daemon", f"{place.base_url} wants a credential before it tells anything.")
    if error.http_status is not None and error.http_status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _no_ollama(place.base_url) from error
    raise error


def _version_in(body: bytes) -> str | None:
    """The version that an answer tells, or None where it tells none."""
    try:
        version = json.loads(body)["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return version if isinstance(version, str) and re.fullmatch(r"[\w.+-]{1,64}", version, re.ASCII) else None


def _judged(version: str | None, url: str) -> Finding:
    """What there is to say of a version.

    Raises:
        UnavailableError: It is none, so that it is no Ollama server.
    """
    if version is None:
        raise _no_ollama(url)
    numbers = re.match(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})", version, re.ASCII)
    told = f"Version {version} answers at {url}."
    release = tuple(map(int, numbers.groups())) if numbers else (0, 0, 0)  # what is built by hand is called 0.0.0
    if (0, 0, 0) < release < FIRST_WITH_CLOUD:
        first = ".".join(map(str, FIRST_WITH_CLOUD))
        return remark("daemon", told, f"Cloud models and accounts came with {first}; a newer one has them.")
    return ok("daemon", told)


def _no_ollama(url: str) -> UnavailableError:
    return UnavailableError(
        f"What answers at {url} is no Ollama server.",
        hint="End the program that listens there, or name another address with OLLAMA_HOST.",
        code="answer_invalid",
    )
