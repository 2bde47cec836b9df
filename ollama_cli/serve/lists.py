"""The models of both servers in one list; the cloud's have a suffix, so that a request for one comes back here."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec

from ollama_cli.api.model_ref import ModelRef
from ollama_cli.errors import CliError, UnavailableError, UsageError
from ollama_cli.serve.servers import Cloud, Onward, Server, whole
from ollama_cli.settings.hosts import CLOUD_URL
from ollama_cli.transport.limits import FOR_AN_ACCOUNT

_LONGEST = 8 * 1024 * 1024


async def tags(cloud: Cloud | None, daemon: Server | None) -> dict[str, Any]:
    """The answer of ``/api/tags``.

    Raises:
        UnavailableError: Neither server could be asked.
    """
    own, remote = await _both(cloud, daemon, "/api/tags", "models")
    known = {str(model.get("name")) for model in own}
    for model in remote:
        base = str(model.get("name") or model.get("model") or "")
        name = _cloud_name(base)
        if name and name not in known:
            facts = {**model, "name": name, "model": name}
            own.append({"remote_model": base, "remote_host": CLOUD_URL, **facts})
    return {"models": own}


async def models(cloud: Cloud | None, daemon: Server | None) -> dict[str, Any]:
    """The answer of ``/v1/models``.

    Raises:
        UnavailableError: Neither server could be asked.
    """
    own, remote = await _both(cloud, daemon, "/v1/models", "data")
    known = {str(model.get("id")) for model in own}
    for model in remote:
        name = _cloud_name(str(model.get("id") or ""))
        if name and name not in known:
            own.append({**model, "id": name})
    return {"object": "list", "data": own}


async def _both(
    cloud: Cloud | None, daemon: Server | None, path: str, field: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lists of the daemon and of the cloud; one that cannot be had is empty, unless it is the only one."""
    asked = [_ask(daemon, path, field), _ask(cloud, path, field)]
    own, remote = await asyncio.gather(*asked, return_exceptions=True)
    for failure in (own, remote):
        if isinstance(failure, BaseException) and not isinstance(failure, CliError):
            raise failure
    failures = [failure for failure in (own, remote) if isinstance(failure, BaseException)]
    if failures and len(failures) == sum(server is not None for server in (cloud, daemon)):
        raise failures[0]
    return (own if isinstance(own, list) else [], remote if isinstance(remote, list) else [])


async def _ask(server: Server | None, path: str, field: str) -> list[dict[str, Any]]:
    """A server's list. The cloud is asked without the credential first: anybody may ask."""
    if server is None:
        return []
    onward = Onward("GET", path, [(b"accept", b"application/json")], limits=FOR_AN_ACCOUNT)
    response = await server.open(onward)
    if response.status_code == HTTPStatus.UNAUTHORIZED and isinstance(server, Cloud):
        await response.aclose()
        response, _ = await server.open_signed(onward)
    body = await whole(response, _LONGEST)
    if response.status_code != HTTPStatus.OK:
        return []
    try:
        content = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise UnavailableError("The list of models cannot be read.", code="answer_invalid") from error
    told = content.get(field) if isinstance(content, dict) else None
    return [model for model in told if isinstance(model, dict)] if isinstance(told, list) else []


def _cloud_name(base: str) -> str:
    """How a model of the cloud is named here; nothing where it has no name, or one that says that it runs here."""
    try:
        model = ModelRef.parse(base)
    except UsageError:
        return ""
    return "" if model.source == "local" else model.cloud_twin
