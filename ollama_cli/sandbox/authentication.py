"""Who sends a request: a device by its signature, or somebody by an API key. Both are checked as ollama.com does."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from ollama_cli.credentials.public_key import is_public_key
from ollama_cli.sandbox.refusals import RefusedError
from ollama_cli.sandbox.shared import sandbox_of, time_of
from ollama_cli.signing.connect_link import signin_url
from ollama_cli.signing.message import message, signed_target
from ollama_cli.signing.verification import public_key_of

SECONDS_OF_VALIDITY = 300
"""How far a signature's time may be from the server's, in both directions."""

NAME_WITHOUT_NAME = "device"
_BEARER = "bearer "


@dataclass(frozen=True)
class Caller:
    """Who sends a request.

    Attributes:
        public_key: The device's public key line, or None for an API key.
    """

    public_key: str | None


def authenticate(request: Request) -> Caller:
    """Say who sends a request.

    Raises:
        RefusedError: 401. It holds a link where the request names a public key that could be approved.
    """
    sandbox, now = sandbox_of(request), time_of(request)
    given = request.headers.getlist("authorization")
    if len(given) != 1:
        raise RefusedError(401, "unauthorized")
    token = given[0]
    if token[: len(_BEARER)].lower() == _BEARER:
        if sandbox.accounts.use_api_key(token[len(_BEARER) :].strip(), now):
            return Caller(None)
        raise RefusedError(401, "unauthorized")
    claimed = f"ssh-ed25519 {token.partition(':')[0]}"
    if not is_public_key(claimed):
        raise RefusedError(401, "unauthorized")
    signer = _signer(request, token, now)
    if signer is None or not sandbox.accounts.use_device(signer, now):
        raise RefusedError(401, "unauthorized", signin_url=link_for(request, claimed))
    return Caller(signer)


def _signer(request: Request, token: str, now: int) -> str | None:
    """The public key line that signed a request, or None where anything about it is not as it has to be."""
    path = request.scope["raw_path"].decode("ascii")
    query = request.scope["query_string"].decode("ascii")
    stamps = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "ts"]
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
        return None
    timestamp = int(stamps[0][:20])
    target = f"{path}?{query}"
    if signed_target(path, query, timestamp) != target or abs(now - timestamp) > SECONDS_OF_VALIDITY:
        return None
    return public_key_of(token, message(request.method, target))


def link_for(request: Request, public_key: str) -> str:
    """Where a person approves a key, with the name that it was last known under."""
    sandbox = sandbox_of(request)
    device = sandbox.accounts.device(public_key)
    return signin_url(device.name if device else NAME_WITHOUT_NAME, public_key, base_url=sandbox.base_url)
