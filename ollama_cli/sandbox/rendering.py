"""Pages from templates, with headers that keep them to themselves."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _templates() -> Environment:
    """The templates; they are loaded with the first page, for most runs of the sandbox show none."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("ollama_cli.sandbox"), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )
    templates.filters["moment"] = _moment
    return templates


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page.

    Args:
        template: The name of its template.
        status: The HTTP status.
        values: What the template shows; all of it is escaped.
    """
    nonce = secrets.token_urlsafe(16)
    content = _templates().get_template(template).render(nonce=nonce, **values)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    return HTMLResponse(
        content,
        status,
        {
            "Content-Security-Policy": policy,
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        },
    )


def _moment(seconds: int | None) -> str:
    """A time for a person."""
    if seconds is None:
        return "never"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
