"""Whom a command asks: clients for servers and registries, with a credential, closed when the command ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.context.identity import Identity
from ollama_cli.settings.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.place import Place
    from ollama_cli.credentials.credential import Active
    from ollama_cli.credentials.device_key import DeviceKey
    from ollama_cli.registry.registry import Registry
    from ollama_cli.transport.auth import CredentialAuth
    from ollama_cli.transport.early import EarlyConnection


class Servers(Identity):
    """The connections of a command."""

    def connect_early(self, place: Place) -> EarlyConnection | None:
        """Begin to connect to a place that will be asked for sure; None where that saves nothing."""
        from ollama_cli.transport.early import connect_early

        early = connect_early(place.base_url)
        if early is not None:
            self._resources.callback(early.close)
        return early

    def client(
        self,
        place: Place,
        active: Active | None,
        *,
        total_seconds: float | None = None,
        silent: bool = False,
        one_shot: bool = False,
        early: EarlyConnection | None = None,
    ) -> OllamaClient:
        """A client for a place; the connections are closed with the context.

        Args:
            place: The server.
            active: Its credential, or None to ask without one.
            total_seconds: The time for all that it is asked, from now on; None is no limit.
            silent: Whether nothing is told on the way, as while a person is typing.
            one_shot: Whether it is asked one thing after the other, for which a client is ready sooner.
            early: The connection that such a client begins with, where ``connect_early`` has given one.
        """
        from ollama_cli import __version__
        from ollama_cli.api.client import OllamaClient
        from ollama_cli.api.exchange import Exchange
        from ollama_cli.transport.client import open_client
        from ollama_cli.transport.limits import Deadline
        from ollama_cli.transport.retries import Retries

        auth = None if active is None else self.authentication(place, active, silent=silent)
        observe = self._say_cleaned if self.options.debug and not silent else None
        deadline = Deadline(total_seconds)
        http = open_client(
            place.base_url,
            auth,
            user_agent=f"ollama-cli/{__version__}",
            observe=observe,
            deadline=deadline,
            one_shot=one_shot,
            early=early,
        )
        tell = self._say_cleaned if self.streams.err.isatty() and not silent else None
        retries = Retries(on_this_machine=is_loopback(place.base_url), tell=tell)
        exchange = Exchange(http, retries=retries, deadline=deadline)
        self._resources.callback(exchange.close)
        return OllamaClient(exchange)

    def authentication(self, place: Place, active: Active, *, silent: bool = False) -> CredentialAuth:
        """What puts a credential on requests to a place.

        Args:
            place: The server.
            active: The credential.
            silent: Whether nothing is told of a clock that differs.
        """
        from ollama_cli.transport.auth import CredentialAuth
        from ollama_cli.transport.clock import Clock

        clock = Clock(on_mend=(lambda _: None) if silent else self._tell_clock)
        return CredentialAuth(active.credential, place.origin, place.base_path, clock=clock)

    def registry(self, base_url: str, key: Callable[[], DeviceKey], *, insecure: bool) -> Registry:
        """A registry; its connections are closed with the context.

        Args:
            base_url: Where it is.
            key: Gives the key that signs for it, once it wants a signature.
            insecure: Whether it may lead to servers without TLS.
        """
        from ollama_cli import __version__
        from ollama_cli.registry.registry import Registry
        from ollama_cli.transport.clock import Clock

        observe = self._say_cleaned if self.options.debug else None
        agent = f"ollama-cli/{__version__}"
        clock = Clock(on_mend=self._tell_clock)
        registry = Registry(base_url, key, clock, user_agent=agent, insecure=insecure, observe=observe)
        self._resources.callback(registry.close)
        return registry

    def _tell_clock(self, seconds: int) -> None:
        direction = "behind" if seconds > 0 else "ahead of"
        self.streams.say(
            f"Note: this machine's clock is {abs(seconds)} seconds {direction} the server's; the request was signed "
            "again with the server's time. Set the clock right."
        )
