"""What a registry asks for before it lets somebody in, and the signed request that answers it.

A registry refuses with 401 and ``WWW-Authenticate: Bearer realm="…",service="…",scope="…"``. The realm is then asked
for a token, by a request that is signed whole: unlike the API's signature (``message.py``) this one names the host.
Observed on the reference (``server/auth.go``); it crashes on some malformed challenges, and takes others for a realm.

>>> challenge = parse_challenge('Bearer realm="https://ollama.com/token",service="ollama.com",scope="repository:a/b:pull"')
>>> token_url(challenge, nonce="n", timestamp=1763883600)
'https://ollama.com/token?nonce=n&scope=repository%3Aa%2Fb%3Apull&service=ollama.com&ts=1763883600'
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from ollama_cli.errors import AnswerError, SafetyError
from ollama_cli.settings.hosts import origin_of

LONGEST_CHALLENGE = 4096
"""Characters of a challenge that are read."""

NONCE_BYTES = 16
"""Random bytes that make a request for a token unlike every other."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)(?=[ \t,]|$)(?![ \t]*=)")
_PARAMETER = re.compile(r'([A-Za-z][A-Za-z0-9_-]*)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",=]+))')
_BETWEEN = re.compile(r"[ \t,]*")
_NOTHING = b64encode(sha256().hexdigest().encode()).decode()
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class Challenge:
    """What a registry wants to be shown.

    Attributes:
        realm: The URL that gives tokens.
        service: What the registry calls itself.
        scope: What is to be done, one word each, such as ``repository:me/model:pull``.
    """

    realm: str
    service: str = ""
    scope: str = ""


def parse_challenge(header: str) -> Challenge:
    """Read a ``WWW-Authenticate`` header.

    Raises:
        AnswerError: It is none that a signature answers, or it cannot be read without guessing.
    """
    if len(header) > LONGEST_CHALLENGE or not header.isprintable():
        raise _unreadable("it is too long, or holds control characters")
    found = _challenges(header)
    wanted = next((parameters for scheme, parameters in found if scheme in {"bearer", ""}), None)
    if wanted is None:
        schemes = ", ".join(scheme for scheme, _ in found) or "nothing"
        raise _unreadable(f"it offers {schemes}, and a device's key answers Bearer only")
    if not wanted.get("realm"):
        raise _unreadable("it names no realm")
    return Challenge(wanted["realm"], wanted.get("service", ""), wanted.get("scope", ""))


def _challenges(header: str) -> list[tuple[str, dict[str, str]]]:
    """Every scheme of a header in lower case, with its parameters; the first may have no name."""
    found: list[tuple[str, dict[str, str]]] = []
    at = _end_of(_BETWEEN, header, 0)
    while at < len(header):
        scheme = _SCHEME.match(header, at)
        if scheme:
            found.append((scheme[1].lower(), {}))
        else:
            name, value, at = _parameter(header, at)
            if not found:
                found.append(("", {}))
            if name in found[-1][1]:
                raise _unreadable(f"it names {name} twice")
            found[-1][1][name] = value
        at = _end_of(_BETWEEN, header, scheme.end() if scheme else at)
    return found


def _parameter(header: str, at: int) -> tuple[str, str, int]:
    parameter = _PARAMETER.match(header, at)
    if parameter is None:
        raise _unreadable("it is cut off, or not written as it has to be")
    quoted, bare = parameter[2], parameter[3]
    return parameter[1].lower(), bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted), parameter.end()


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def checked_realm(challenge: Challenge, registry_origin: str) -> str:
    """The realm of a challenge, where it may be shown a signature: at the registry that was asked, nowhere else.

    Args:
        challenge: The challenge.
        registry_origin: Scheme, host and port of the registry; see ``origin_of``.

    Raises:
        AnswerError: The realm is no address.
        SafetyError: It is another server's.
    """
    realm = challenge.realm
    try:
        parts = urlsplit(realm)
        origin = origin_of(realm)
    except ValueError as error:
        raise _unreadable("its realm is no address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(char in realm for char in ' \t\\"<>'):
        raise _unreadable("its realm is no address")
    if "@" in parts.netloc or parts.fragment or origin != registry_origin:
        raise SafetyError(
            f"The registry {registry_origin} wants a signature to be shown to another server, {origin}.",
            hint="Nothing was sent there: whoever receives it could act in your name.",
            code="foreign_realm",
        )
    return realm


def token_url(challenge: Challenge, *, nonce: str, timestamp: int) -> str:
    """The URL that is asked for a token: the realm with the service, every scope, the time and a nonce, sorted.

    Args:
        challenge: The challenge.
        nonce: What ``new_nonce`` gave.
        timestamp: Unix seconds.
    """
    parts = urlsplit(challenge.realm)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    pairs += [("service", challenge.service), *(("scope", word) for word in challenge.scope.split(" "))]
    pairs += [("ts", str(timestamp)), ("nonce", nonce)]
    pairs.sort(key=lambda pair: pair[0])
    return urlunsplit((parts.scheme, parts.netloc, quote(parts.path, safe=_PATH_CHARACTERS), urlencode(pairs), ""))


def token_message(url: str) -> bytes:
    """The bytes to sign for a token: method, whole URL, and the digest of a body that there is not."""
    return f"GET,{url},{_NOTHING}".encode()


def new_nonce(random: bytes) -> str:
    """A nonce of random bytes, as it stands in a URL."""
    return urlsafe_b64encode(random).decode().rstrip("=")


def _unreadable(why: str) -> AnswerError:
    return AnswerError(
        f"The registry asks for a sign-in in a way that cannot be answered: {why}.",
        hint="Check its name, and whether a proxy or a sign-in page of the network answers in its place.",
        code="bad_challenge",
    )
