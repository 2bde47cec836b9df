"""The sandbox's pages: ``/connect``, where a person approves a device, and ``/settings/keys``, which lists them.

They need no script. A decision counts only when it comes with the token of a form that was shown to the same browser.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ollama_cli.credentials.public_key import decode_public_key, encode_public_key, fingerprint_of, is_public_key
from ollama_cli.sandbox.account_api import ACCOUNT
from ollama_cli.sandbox.names import visible
from ollama_cli.sandbox.rendering import page
from ollama_cli.sandbox.shared import Sandbox, sandbox_of, time_of

_COOKIE = "sandbox_browser"
_COOKIE_FORM = re.compile(r"[\w-]{43}", re.ASCII)
_KEYS_PAGE = "/settings/keys"
_OWN_FETCHES = frozenset({"same-origin", "none"})


@dataclass(frozen=True)
class _Link:
    """What a connect link names: a device that wants to be on the account."""

    public_key: str
    name: str

    @classmethod
    def read(cls, pairs: list[tuple[str, str]]) -> _Link | None:
        """Read a link's parameters, or a form's; two keys or two names are one too many."""
        keys = [value for name, value in pairs if name == "key"]
        names = [value for name, value in pairs if name == "name"]
        public_key = decode_public_key(keys[0]) if len(keys) == 1 else None
        if public_key is None or len(names) > 1:
            return None
        return cls(public_key, names[0] if names else "")

    @property
    def purpose(self) -> str:
        """What a form about it decides."""
        return f"connect {self.public_key}"


async def connect(request: Request) -> Response:
    """``GET /connect``: who wants to be on the account, and the form that approves or denies it."""
    query = request.scope["query_string"].decode("ascii", "replace")
    link = _Link.read(parse_qsl(query, keep_blank_values=True, errors="replace"))
    if link is None:
        return _no_device()
    sandbox, browser = sandbox_of(request), _browser(request)
    known = sandbox.accounts.device(link.public_key)
    response = page(
        "connect.html",
        account=ACCOUNT,
        device=visible(link.name) or "a device without a name",
        name=link.name,
        fingerprint=fingerprint_of(link.public_key),
        key=encode_public_key(link.public_key),
        state=known.state if known else "new",
        token=sandbox.forms.issue(link.purpose, browser),
    )
    return _remembering(response, browser)


async def decide(request: Request) -> Response:
    """``POST /connect``: approve or deny the device that the form showed."""
    async with request.form(max_files=0) as form:
        link = _Link.read([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
        if link is None:
            return _no_device()
        if not _is_ours(request, form, link.purpose):
            return _not_ours()
        action = form.get("action")
    sandbox, now, shown = sandbox_of(request), time_of(request), visible(link.name) or "The device"
    if action == "approve":
        sandbox.accounts.approve(link.public_key, link.name, now)
        text = f"{shown} is on the account of “{ACCOUNT['name']}” now. Go back to where you signed in from."
        return page("message.html", title="Device approved", text=text)
    if action == "deny":
        sandbox.accounts.deny(link.public_key, link.name, now)
        text = f"{shown} is not on the account. If you did not start a sign-in yourself, that was right."
        return page("message.html", title="Device turned away", text=text)
    return page("message.html", 400, title="Nothing was decided", text="The form says neither approve nor deny.")


async def keys(request: Request) -> Response:
    """``GET /settings/keys``: the devices and API keys of the account."""
    return _keys_page(request)


async def change_keys(request: Request) -> Response:
    """``POST /settings/keys``: add or remove a device, make or remove an API key."""
    async with request.form(max_files=0) as form:
        if not _is_ours(request, form, _KEYS_PAGE):
            return _not_ours()
        said = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    sandbox, now, action = sandbox_of(request), time_of(request), said.get("action")
    if action == "make-api-key":
        key = sandbox.accounts.make_api_key(said.get("name", "").strip(), now)
        return _keys_page(request, new_key=key.reveal())
    if action == "add-device":
        problem = _add_device(sandbox, said, now)
    elif action == "remove-device":
        problem = None if sandbox.accounts.remove(said.get("device", "")) else "That device is not on the account."
    elif action == "remove-api-key":
        number = said.get("api-key", "")
        known = number.isascii() and number.isdigit() and sandbox.accounts.remove_api_key(int(number[:18]))
        problem = None if known else "That API key is not on the account."
    else:
        problem = "The form does not say what to do."
    return _keys_page(request, problem=problem) if problem else RedirectResponse(_KEYS_PAGE, status_code=303)


def _add_device(sandbox: Sandbox, said: dict[str, str], now: int) -> str | None:
    """Put a pasted public key on the account; or say why not."""
    kind, text, *comment = [*said.get("public-key", "").split(maxsplit=2), "", ""][:3]
    line = f"{kind} {text}"
    if not is_public_key(line):
        return "That is not an ed25519 public key line: it begins with “ssh-ed25519 AAAA”."
    sandbox.accounts.approve(line, said.get("name", "").strip() or comment[0].strip() or "pasted key", now)
    return None


def _keys_page(request: Request, *, new_key: str | None = None, problem: str | None = None) -> Response:
    sandbox, browser = sandbox_of(request), _browser(request)
    devices: list[dict[str, Any]] = [
        {
            "name": visible(device.name) or "a device without a name",
            "fingerprint": fingerprint_of(device.public_key),
            "public_key": device.public_key,
            "added": device.added,
            "last_used": device.last_used,
        }
        for device in sandbox.accounts.devices()
    ]
    api_keys = [
        {
            "id": entry.id,
            "prefix": entry.prefix,
            "name": visible(entry.name),
            "made": entry.made,
            "last_used": entry.last_used,
        }
        for entry in sandbox.accounts.api_keys()
    ]
    response = page(
        "keys.html",
        400 if problem else 200,
        account=ACCOUNT,
        devices=devices,
        api_keys=api_keys,
        new_key=new_key,
        problem=problem,
        token=partial(sandbox.forms.issue, _KEYS_PAGE, browser),
    )
    return _remembering(response, browser)


def _browser(request: Request) -> str:
    """The cookie that tells this browser from others; a new one where there is none."""
    cookie = request.cookies.get(_COOKIE, "")
    return cookie if _COOKIE_FORM.fullmatch(cookie) else secrets.token_urlsafe(32)


def _remembering(response: Response, browser: str) -> Response:
    response.set_cookie(_COOKIE, browser, httponly=True, samesite="strict", path="/")
    return response


def _is_ours(request: Request, form: FormData, purpose: str) -> bool:
    """Whether a form was shown by us, to the browser that sends it, for this purpose, and not sent before."""
    token = form.get("token")
    if not isinstance(token, str):
        return False
    good = sandbox_of(request).forms.redeem(token, purpose, request.cookies.get(_COOKIE, ""))
    return good and request.headers.get("sec-fetch-site", "none") in _OWN_FETCHES


def _no_device() -> Response:
    text = "It has to name one device by its public key. Copy the whole link that your sign-in printed, and open that."
    return page("message.html", 400, title="This link names no device", text=text)


def _not_ours() -> Response:
    text = "It was sent already, is more than an hour old, or came from elsewhere. Nothing was changed. "
    return page(
        "message.html", 403, title="This form is not valid", text=text + "Open the page again and decide there."
    )
