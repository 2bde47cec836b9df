"""Where a command acts: ollama.com, or the daemon that OLLAMA_HOST names. One rule for every command.

1. OLLAMA_HOST names another host than ollama.com: everything goes there, account commands too.
2. It is unset, or ``--cloud`` is given: cloud models and the account are ollama.com's, other models the local daemon's.
3. It is ollama.com: as 2, and every model is a cloud model.
"""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from ollama_cli.api.model_ref import ModelRef
from ollama_cli.errors import ForbiddenError, SafetyError, UsageError
from ollama_cli.settings import Host, Settings
from ollama_cli.settings.hosts import origin_of

LOCAL_DAEMON = Host.parse("")


class Place(NamedTuple):
    """A server that a command talks to.

    Attributes:
        kind: ``cloud`` (ollama.com or what stands in for it) or ``daemon``.
        base_url: Where it is.
        authenticated: Whether requests to it carry a credential.
    """

    kind: Literal["cloud", "daemon"]
    base_url: str
    authenticated: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port, by which its credential is named."""
        return origin_of(self.base_url)

    @property
    def base_path(self) -> str:
        """The path below which it stands, with a slash in front, or nothing."""
        return urlsplit(self.base_url).path


def account_place(settings: Settings, *, cloud: bool = False) -> Place:
    """Where account commands act.

    Raises:
        SafetyError: OLLAMA_HOST is ollama.com without TLS.
        ForbiddenError: It would be the cloud, and that is disabled.
    """
    host = _checked(settings.host)
    if host is not None and not host.is_ollama_com and not cloud:
        return Place("daemon", host.url, authenticated=settings.sign_for_host)
    return cloud_place(settings)


def cloud_place(settings: Settings) -> Place:
    """ollama.com, or the loopback address that stands in for it.

    Raises:
        ForbiddenError: Cloud models are disabled.
    """
    if settings.no_cloud:
        raise ForbiddenError(
            f"ollama.com is not used here: {settings.no_cloud}.",
            hint="Use a model of the Ollama server on this machine, or lift the setting.",
            code="cloud_disabled",
        )
    return Place("cloud", settings.cloud_url, authenticated=True)


def model_place(settings: Settings, model: ModelRef, *, cloud: bool = False) -> Place:
    """Where a model is asked.

    Raises:
        UsageError: The reference names a place and no model.
        SafetyError: OLLAMA_HOST is ollama.com without TLS.
        ForbiddenError: It would be the cloud, and that is disabled.
    """
    if not model.base:
        raise UsageError("There is no name before the colon.", hint="Such as: `ollama-cli run gpt-oss:120b-cloud`")
    return general_place(settings, cloud=cloud or (settings.host is None and model.source == "cloud"))


def general_place(settings: Settings, *, cloud: bool = False) -> Place:
    """Where a model is asked whose name does not say where it runs, and whose models a list is of.

    Raises:
        SafetyError: OLLAMA_HOST is ollama.com without TLS.
        ForbiddenError: It would be the cloud, and that is disabled.
    """
    host = _checked(settings.host)
    if cloud or (host is not None and host.is_ollama_com):
        return cloud_place(settings)
    return daemon_place(settings)


def model_sources(settings: Settings) -> list[Place]:
    """The servers whose models can be asked without naming another server.

    Raises:
        SafetyError: OLLAMA_HOST is ollama.com without TLS.
    """
    host = _checked(settings.host)
    cloud = [] if settings.no_cloud else [cloud_place(settings)]
    if host is None:
        return [daemon_place(settings), *cloud]
    return cloud if host.is_ollama_com else [daemon_place(settings)]


def daemon_place(settings: Settings) -> Place:
    """The daemon: the one that OLLAMA_HOST names, else this machine's.

    Raises:
        SafetyError: OLLAMA_HOST is ollama.com without TLS.
    """
    host = _checked(settings.host)
    if host is None or host.is_ollama_com:
        return Place("daemon", LOCAL_DAEMON.url, authenticated=False)
    return Place("daemon", host.url, authenticated=settings.sign_for_host)


def _checked(host: Host | None) -> Host | None:
    if host is not None and host.is_ollama_com and (host.scheme != "https" or host.port != "443"):
        raise SafetyError(
            "OLLAMA_HOST would reach ollama.com without TLS or at another port; nothing is sent there.",
            hint="Set OLLAMA_HOST=https://ollama.com, or unset it.",
        )
    return host
