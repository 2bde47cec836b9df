"""The one place where a request gets its credential: an ``httpx.Auth`` that serves exactly one origin.

>>> import httpx
>>> from ollama_cli import DeviceKey, OllamaAuth
>>> auth = OllamaAuth(DeviceKey.generate())
>>> request = next(auth.auth_flow(httpx.Request("POST", "https://ollama.com/api/me")))
>>> request.url.query.startswith(b"ts=")
True
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import ApiKey, Token
from ollama_cli.errors import SafetyError, SignInError
from ollama_cli.secret import Secret
from ollama_cli.settings.hosts import CLOUD_URL, is_loopback, origin_of
from ollama_cli.signing.message import message, signed_target
from ollama_cli.transport.clock import Clock
from ollama_cli.transport.lean_httpx import httpx

if TYPE_CHECKING:
    from ollama_cli.credentials.credential import Credential
    from ollama_cli.credentials.device_key import DeviceKey

_UNAUTHORIZED = 401


class CredentialAuth(httpx.Auth):
    """Puts a credential on requests to one origin, and refuses to put it on any other.

    A device key signs each request anew, with a time stamp in its query; an API key or a token goes along as it is. A
    signature that is refused while the server's clock is minutes away from ours is made once more with its time. One
    object may serve several threads and tasks at once.

    Args:
        credential: What to authenticate with.
        origin: The only origin it goes to; https, or a loopback address.
        base_path: The path of a server that stands below one; it is sent, and not signed.
        clock: What time it is, and how far the server's is away.
    """

    def __init__(self, credential: Credential, origin: str, base_path: str = "", *, clock: Clock | None = None) -> None:
        self._credential = credential
        self._origin = origin_of(origin)
        self._base_path = httpx.URL(path=base_path).raw_path.decode("ascii").rstrip("/")  # as a request line has it
        self._clock = clock or Clock()
        if not self._origin.startswith("https://") and not is_loopback(self._origin):
            raise SafetyError(
                f"No credential is sent to {self._origin}: the connection is not encrypted.",
                hint="Use an https:// address.",
            )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Authenticate a request; see ``httpx.Auth``.

        Raises:
            SafetyError: The request goes to another origin.
        """
        if origin_of(str(request.url)) != self._origin:
            raise SafetyError(
                f"The credential for {self._origin} is not sent to {request.url.scheme}://{request.url.netloc.decode()}."
            )
        if isinstance(self._credential, ApiKey | Token):
            request.headers["Authorization"] = self._credential.header()
            yield request
            return
        offset = self._clock.offset
        self._sign(request, self._credential)
        response = yield request
        if response.status_code != _UNAUTHORIZED or response.history:  # after a redirect another server has answered
            return
        self._clock.mend(response.headers.get("Date"), self._origin)
        if self._clock.offset != offset:  # mended now, or meanwhile by a request beside this one
            self._sign(request, self._credential)
            yield request

    def _sign(self, request: httpx.Request, key: DeviceKey) -> None:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        target = signed_target(path, query, self._clock.timestamp())
        request.url = request.url.copy_with(raw_path=target.encode("ascii"))
        signed = target.removeprefix(self._base_path) if target.startswith(f"{self._base_path}/") else target
        request.headers["Authorization"] = key.sign(message(request.method, signed))


class OllamaAuth(CredentialAuth):
    """Authentication for any ``httpx`` client, as the public API gives it.

    Args:
        credential: A ``DeviceKey``, an API key as text, or None for the one that ``ollama-cli`` itself would use.
        origin: The only origin that the credential goes to.
        base_path: The path of a server that stands below one; it is sent, and not signed.

    Raises:
        SafetyError: The origin is neither https nor loopback.
        SignInError: No credential is given, and none is there.
        UsageError: The API key that is given, or what the environment gives in its place, cannot be used.
        StoreError: The store of the one that the command would use cannot be used.
    """

    def __init__(
        self,
        credential: DeviceKey | ApiKey | str | None = None,
        origin: str = CLOUD_URL,
        base_path: str = "",
    ) -> None:
        used: Credential
        if credential is None:
            used = _own_credential(origin_of(origin))
        else:
            used = ApiKey(Secret(credential)) if isinstance(credential, str) else credential
        super().__init__(used, origin, base_path)


def _own_credential(origin: str) -> Credential:
    """The credential that the command would use for an origin."""
    import os

    from ollama_cli.credentials.chosen import choose
    from ollama_cli.settings import Settings

    active = choose(Settings.from_environment(os.environ), origin)
    if active is None:
        raise SignInError(f"There is no credential for {origin}.", hint="Run `ollama-cli signin` first.")
    return active.credential
