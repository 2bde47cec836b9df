"""Who may pull and push: a device shows a signature once, gets a token for some minutes, and shows that from then on.

Models of ``library`` are anybody's to pull. Those of the account's own namespace are private: its devices alone pull
and push them. Other namespaces are other people's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ollama_cli.api.model_name import DEFAULT_NAMESPACE
from ollama_cli.credentials.public_key import is_public_key
from ollama_cli.sandbox.account_api import ACCOUNT
from ollama_cli.sandbox.authentication import SECONDS_OF_VALIDITY, link_for
from ollama_cli.sandbox.refusals import RefusedError
from ollama_cli.sandbox.shared import sandbox_of, time_of
from ollama_cli.signing.challenge import token_message
from ollama_cli.signing.verification import public_key_of

TOKEN_PATH = "/v2/token"  # noqa: S105 - a path
SERVICE = "ollama-cli sandbox"
_SCOPE = re.compile(r"repository:(?P<namespace>[^/:]+)/(?P<model>[^/:]+):(?P<actions>[a-z,]+)")


class ChallengedError(Exception):
    """Ends a request that shows no token for what it wants.

    Args:
        rights: What it would need, by repository.
    """

    def __init__(self, rights: Iterable[tuple[str, str]]) -> None:
        super().__init__("a token is needed")
        self.rights = tuple(rights)


def require(request: Request, *rights: tuple[str, str]) -> None:
    """Let a request go on where it may do something to some repositories.

    Args:
        request: The request.
        rights: Pairs of a repository, and ``pull`` or ``push``.

    Raises:
        ChallengedError: It may not, or shows no token that is still good.
    """
    needed = [(repository, action) for repository, action in rights if not _anybodys(repository, action)]
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    shown = token if kind.lower() == "bearer" else ""
    if needed and not sandbox_of(request).registry_passes.holds(shown, needed, time_of(request)):
        raise ChallengedError(rights)


async def answer_challenge(request: Request, error: Exception) -> Response:
    """Answer a request that shows no token."""
    assert isinstance(error, ChallengedError)  # noqa: S101 - Starlette's type for handlers is wider than what it passes
    actions: dict[str, list[str]] = {}
    for repository, action in error.rights:
        actions.setdefault(repository, []).append(action)
    scope = " ".join(f"repository:{repository}:{','.join(sorted(some))}" for repository, some in actions.items())
    challenge = f'Bearer realm="{own_url(request)}{TOKEN_PATH}",service="{SERVICE}",scope="{scope}"'
    body = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": None}]}
    return JSONResponse(body, 401, {"WWW-Authenticate": challenge})


async def token(request: Request) -> Response:
    """``GET /v2/token``: a token for what was asked for, as far as the device's account may do it.

    Raises:
        RefusedError: 401: the signature is missing, wrong, or used before, or the device is not on the account.
    """
    sandbox, now = sandbox_of(request), time_of(request)
    asked = parse_qs(request.scope["query_string"].decode("ascii"), keep_blank_values=True)
    given = request.headers.get("authorization", "")
    claimed = f"ssh-ed25519 {given.partition(':')[0]}"
    if not is_public_key(claimed):
        raise RefusedError(401, "unauthorized")
    target = request.scope["raw_path"].decode("ascii") + "?" + request.scope["query_string"].decode("ascii")
    signer = public_key_of(given, token_message(f"{own_url(request)}{target}"))
    fresh = _is_now(asked.get("ts", []), now) and asked.get("service") == [SERVICE]
    nonces = asked.get("nonce", [])
    if signer is None or not fresh or len(nonces) != 1 or not sandbox.registry_passes.use_nonce(nonces[0], now):
        raise RefusedError(401, "unauthorized")
    if not sandbox.accounts.use_device(signer, now):
        raise RefusedError(401, "unauthorized", signin_url=link_for(request, claimed))
    return JSONResponse({"token": sandbox.registry_passes.give(_granted(asked.get("scope", [])), now)})


def _is_now(stamps: list[str], now: int) -> bool:
    stamp = stamps[0] if len(stamps) == 1 else ""
    return stamp.isascii() and stamp.isdigit() and abs(now - int(stamp[:20])) <= SECONDS_OF_VALIDITY


def _granted(scopes: list[str]) -> frozenset[tuple[str, str]]:
    granted = set()
    for scope in scopes:
        read = _SCOPE.fullmatch(scope)
        for action in read["actions"].split(",") if read else ():
            repository = f"{read['namespace']}/{read['model']}" if read else ""
            if _anybodys(repository, action) or (read and read["namespace"] == ACCOUNT["name"]):
                granted.add((repository, action))
    return frozenset(granted)


def _anybodys(repository: str, action: str) -> bool:
    return action == "pull" and repository.partition("/")[0] == DEFAULT_NAMESPACE


def own_url(request: Request) -> str:
    """Where this was asked: under any of this machine's names, which ``wire.py`` has checked."""
    return f"http://{request.headers['host']}"
