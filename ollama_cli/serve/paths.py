"""The paths of the API, and the one spelling in which each is looked at."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

MODEL_DETAILS = "/v1/models/"
DEVICE_KEY = "/api/user/keys/"

CLOUD_DISABLED = "ollama cloud is disabled: remote model is unavailable"
_DETAILS_DISABLED = "ollama cloud is disabled: remote model details are unavailable"
_WEB_DISABLED = "ollama cloud is disabled: web search is unavailable"

INFERENCE = frozenset(
    {
        "/api/generate",
        "/api/chat",
        "/api/embed",
        "/api/embeddings",
        "/api/show",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/messages",
    }
)
"""What is asked of a model, which the body names."""

WEB = {
    "/api/web_search": "/api/web_search",
    "/api/web_fetch": "/api/web_fetch",
    "/api/experimental/web_search": "/api/web_search",
    "/api/experimental/web_fetch": "/api/web_fetch",
}
"""What ollama.com does without a model, and where it does it; the longer paths are a daemon's."""

LISTS = frozenset({"/api/tags", "/v1/models"})
"""Lists of models."""

METHODS = {
    **dict.fromkeys(INFERENCE | WEB.keys() | {"/api/me", "/api/signout"}, ("POST",)),
    **dict.fromkeys(LISTS | {"/", "/api/version"}, ("GET", "HEAD")),
}
"""The methods of every path that is answered without a daemon."""

_PRIVATE = ("/api/me", "/api/signout")
_OF_A_DAEMON = (
    "/api/pull",
    "/api/push",
    "/api/create",
    "/api/copy",
    "/api/delete",
    "/api/ps",
    "/api/status",
    "/api/blobs/",
    "/api/experimental/",
    "/v1/audio/",
)


def clean(raw: bytes) -> str | None:
    """A path without percent-encoding, or None where two servers could read it in two ways.

    ``//``, ``/../``, an encoded slash and the like are in no path of the API, but for the slash in the name of a model.
    """
    if raw.startswith(MODEL_DETAILS.encode("ascii")) and raw != MODEL_DETAILS.encode("ascii"):
        model = model_in(raw)
        return None if model is None else MODEL_DETAILS + model
    start, *segments = raw.decode("ascii", "replace").split("/")
    if start or not segments:
        return None
    try:
        plain = [unquote_to_bytes(segment).decode("utf-8") for segment in segments]
    except UnicodeDecodeError:
        return None
    inner = plain[:-1] if len(plain) > 1 else []
    if "" in inner or any(not _is_segment(text) for text in plain):
        return None
    return "/" + "/".join(plain)


def model_in(raw: bytes) -> str | None:
    """The model that a path below ``/v1/models/`` names; one with an owner has a slash, encoded or not."""
    try:
        name = unquote_to_bytes(raw.removeprefix(MODEL_DETAILS.encode("ascii"))).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return name if all(part and _is_segment(part) for part in name.split("/")) else None


def details_path(model: str) -> str:
    """The path that a model's details have, encoded."""
    return MODEL_DETAILS + quote(model, safe="/:@-._~")


def methods_of(path: str) -> tuple[str, ...]:
    """The methods that a path is answered with, without a daemon; none where it is not."""
    if path.startswith(MODEL_DETAILS):
        return ("GET", "HEAD")
    if path.startswith(DEVICE_KEY):
        return ("DELETE",)
    return METHODS.get(path, ())


def is_private(path: str) -> bool:
    """Whether a path is about the account, and so for no page of a browser."""
    return path in _PRIVATE or path.startswith(DEVICE_KEY)


def needs_daemon(path: str) -> bool:
    """Whether a path is one of Ollama's that only a daemon answers."""
    return path.startswith(_OF_A_DAEMON)


def told_when_disabled(path: str) -> str:
    """What is told where cloud models are off."""
    if path == "/api/show" or path.startswith(MODEL_DETAILS):
        return _DETAILS_DISABLED
    return _WEB_DISABLED if path in WEB else CLOUD_DISABLED


def _is_segment(text: str) -> bool:
    return text not in {".", ".."} and not any(char in "/\\" or char < " " or char == "\x7f" for char in text)
