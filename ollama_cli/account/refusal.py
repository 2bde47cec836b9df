"""The way out of a refused request (401): it depends on the credential that was refused, and on who refused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_cli.credentials.credential import ApiKey, StoredKey, StoredSecret, Token, is_device_key
from ollama_cli.errors import SignInError
from ollama_cli.settings.hosts import KEYS_PAGE
from ollama_cli.signing.connect_link import key_in

if TYPE_CHECKING:
    from ollama_cli.credentials.credential import Active
    from ollama_cli.errors import CliError

_OTHER_MACHINE = "An Ollama server can be signed in on the machine it runs on, with `ollama signin` there."
_BARE = frozenset({"", "unauthorized", "401 unauthorized"})


def more_than_unauthorized(refused: CliError | None) -> str:
    """What a server said to a refusal beyond the bare word, such as that a device was denied; or nothing."""
    words = refused.server_words if refused is not None else ""
    return "" if words.lower().rstrip(".") in _BARE else words


def was_taken_off(active: Active | None, refused: SignInError | None) -> bool:
    """Whether a refusal means that this device was on an account and is no longer: taken off on the web, or elsewhere.

    A refusal that no Ollama server worded, such as a proxy's page, tells nothing about the account.
    """
    return isinstance(active, StoredKey) and active.signed_in and refused is not None and refused.told_by_api


def refusal(active: Active | None, link: str | None = None, refused: SignInError | None = None) -> SignInError:
    """The error for a request that ollama.com refused with 401, or would refuse.

    Args:
        active: The credential that was used, or None where there was none.
        link: The link that would sign its key in, where it is a device key.
        refused: The server's refusal, or None where it was not asked or gave no reason.
    """
    message, hint, code = "This device is not signed in.", "Run `ollama-cli signin`.", SignInError.default_code
    if active is not None and isinstance(active.credential, ApiKey):
        message = f"The API key from {active.source} is refused."
        hint = f"Make a new one at {KEYS_PAGE}, or unset it and run `ollama-cli signin`."
        if isinstance(active, StoredSecret):
            hint = f"Make a new one at {KEYS_PAGE}, and store it with `ollama-cli signin --api-key`."
        link, code = None, "api_key_refused"
    elif was_taken_off(active, refused):
        message = "This device was taken off your account."
        hint = "`ollama-cli signin` puts it back with the same key; after `ollama-cli signout`, with a new one."
        code = "device_removed"
    elif active is not None and not isinstance(active, StoredKey):
        message = f"The key from {active.source} is not signed in."
        hint = (
            "Open the link to put it on your account." if link else "`ollama-cli status` shows the link that does it."
        )
    return SignInError(message, hint=_with_words(refused, hint), code=code, signin_url=link, http_status=401)


def key_forgotten(fingerprint: str) -> SignInError:
    """The error for a key that another command forgot while its approval was waited for."""
    return SignInError(
        "This device's key was forgotten meanwhile, by another command such as `ollama-cli signout`.",
        hint="`ollama-cli signin` shows a new link; the one above is good for nothing any more.\n"
        f"If you approved it already, take the device {fingerprint} off at {KEYS_PAGE}",
        code="key_forgotten",
    )


def daemon_refusal(
    base_url: str, active: Active | None, refused: SignInError | None, *, asked_for_link: bool = False
) -> SignInError:
    """The error for an Ollama server that is itself not signed in, or does not take our credential.

    Its link is passed on only where it leads to ollama.com and names a key other than the one that signs for that
    server: with this one on an account, that server could use our signatures there.

    Args:
        base_url: Where the server is.
        active: What the request carried, or None.
        refused: Its refusal, or None where it only answered that nobody is signed in.
        asked_for_link: Whether it was asked just for a link to sign it in with.
    """
    if refused is not None and refused.code == "clock_wrong":
        return refused
    message, hint = f"The Ollama server at {base_url} is not signed in.", _OTHER_MACHINE
    link = daemon_link(active, refused)
    if link is not None:
        hint = "Its link below signs that server in as a device of its own."
    elif active is not None and isinstance(active.credential, Token):
        return _token_refused(base_url, refused)
    elif active is not None and is_device_key(active.credential):
        message = f"The Ollama server at {base_url} does not take this device's key, or is itself not signed in."
        hint = (
            f"If it lets in known keys only, have this one put on its list: {active.credential.public_key}\n"
            f"{_OTHER_MACHINE}"
        )
    elif asked_for_link:
        message = f"The Ollama server at {base_url} is not signed in, and names no link to ollama.com to do it with."
    else:
        hint = f"`ollama-cli signin`, with OLLAMA_HOST={base_url}, asks it for a link. {_OTHER_MACHINE}"
    if refused is not None and active is None and not refused.told_by_api:
        hint = f"{hint}\nIf a proxy before it asks for a token: `ollama-cli signin --host {base_url} --token`"
    return SignInError(message, hint=_with_words(refused, hint), signin_url=link, http_status=401)


def _token_refused(base_url: str, refused: SignInError | None) -> SignInError:
    told_by_api = refused is not None and refused.told_by_api
    return SignInError(
        f"The Ollama server at {base_url} does not take its token{', or is itself not signed in' * told_by_api}.",
        hint=_with_words(refused, f"`ollama-cli signin --host {base_url} --token` stores another one."),
        code="token_refused",
        http_status=401,
    )


def daemon_link(active: Active | None, refused: SignInError | None) -> str | None:
    """The link in a daemon's refusal, where it may be followed; see ``daemon_refusal``."""
    link = refused.signin_url if refused is not None else None
    public_key = key_in(link) if link is not None else None
    if public_key is None:
        return None
    own = active is not None and is_device_key(active.credential) and active.credential.public_key == public_key
    return None if own else link


def _with_words(refused: SignInError | None, hint: str) -> str:
    said = more_than_unauthorized(refused)
    return f"The server says: {said}\n{hint}" if said else hint
