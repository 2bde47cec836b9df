"""``/api/web_search`` and ``/api/web_fetch``: results that are always the same, of pages that do not exist."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ollama_cli.sandbox.authentication import authenticate
from ollama_cli.sandbox.bodies import field, json_body
from ollama_cli.sandbox.refusals import RefusedError

MOST_RESULTS = 10
_USUAL_RESULTS = 5


async def search(request: Request) -> Response:
    """``POST /api/web_search``: results that name the query; example.com holds no such pages."""
    authenticate(request)
    body = await json_body(request)
    query = field(body, "query", str, "").strip()
    if not query:
        raise RefusedError(400, "query is required")
    wanted = field(body, "max_results", int, _USUAL_RESULTS)
    if not 1 <= wanted <= MOST_RESULTS:
        raise RefusedError(400, f"max_results must be from 1 to {MOST_RESULTS}")
    results = [
        {
            "title": f"Stand-in result {number} for {query}",
            "url": f"https://example.com/{quote(query, safe='')}/{number}",
            "content": f"The sandbox made this text up; nobody searched for “{query}”.",
        }
        for number in range(1, wanted + 1)
    ]
    return JSONResponse({"results": results})


async def fetch(request: Request) -> Response:
    """``POST /api/web_fetch``: a page that names its address; nothing is loaded."""
    authenticate(request)
    url = field(await json_body(request), "url", str, "").strip()
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise RefusedError(400, "url is not valid")
    return JSONResponse(
        {
            "title": f"Stand-in page of {host}",
            "content": f"# Stand-in page\n\nThe sandbox made this text up; nobody loaded {url}.",
            "links": [f"{parts.scheme}://{host}/", f"{parts.scheme}://{host}/about"],
        }
    )
