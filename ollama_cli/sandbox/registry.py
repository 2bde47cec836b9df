"""The sandbox's registry: Docker's, version 2, as far as Ollama's speaks it.

As at a large registry, blobs are kept at another host: what is pulled is redirected there, and what is pushed too, if
the client says that it can do that. That other host is this one under its other name, ``localhost``. Its addresses are
good for what they name, and no credential may go along.
"""

from __future__ import annotations

import re
from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from ollama_cli.api.manifest import LARGEST_MANIFEST, MEDIA_TYPE, Manifest
from ollama_cli.api.model_name import ModelName
from ollama_cli.errors import AnswerError, UsageError
from ollama_cli.sandbox.account_api import ACCOUNT
from ollama_cli.sandbox.refusals import RefusedError
from ollama_cli.sandbox.registry_files import READ_AT_ONCE, RegistryFiles, Upload
from ollama_cli.sandbox.registry_models import library_model
from ollama_cli.sandbox.registry_tokens import own_url, require
from ollama_cli.sandbox.rendering import page
from ollama_cli.sandbox.shared import sandbox_of, time_of
from ollama_cli.terminal.words import size_in_words

STORE = "/registry-store"
"""Below it stands what belongs to the other host."""

_AT_STORE = "store"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")
_PART = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


async def root(_request: Request) -> Response:
    """``GET /v2/``: that a registry is here."""
    return JSONResponse({})


async def manifest(request: Request) -> Response:
    """``GET`` and ``PUT /v2/…/manifests/{tag}``."""
    files, repository, tag = _files(request), _repository(request), request.path_params["tag"]
    if request.method == "PUT":
        require(request, (repository, "push"), (repository, "pull"))
        return await _put_manifest(request, files, repository, tag)
    require(request, (repository, "pull"))
    library_model(files, repository, tag)
    content = files.manifest(repository, tag)
    if content is None:
        return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    return Response(content, media_type=MEDIA_TYPE)


async def _put_manifest(request: Request, files: RegistryFiles, repository: str, tag: str) -> Response:
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST_MANIFEST:
            return _error(413, "MANIFEST_INVALID", "the manifest is too large")
    try:
        read = Manifest.parse(content)
    except AnswerError as error:
        return _error(400, "MANIFEST_INVALID", error.message)
    if not all(files.has(repository, blob.digest) for blob in read.blobs):
        return _error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
    files.put_manifest(repository, tag, content)
    return Response(status_code=201)


async def blob(request: Request) -> Response:
    """``GET`` and ``HEAD /v2/…/blobs/{digest}``: its size, or where it is kept."""
    files, repository, digest = _files(request), _repository(request), request.path_params["digest"]
    require(request, (repository, "pull"))
    if not _DIGEST.fullmatch(digest) or not files.has(repository, digest):
        return _error(404, "BLOB_UNKNOWN", "blob unknown to registry")
    if request.method == "HEAD":
        size = files.blob(digest).stat().st_size
        return Response(headers={"Content-Length": str(size), "Docker-Content-Digest": digest})
    ticket = sandbox_of(request).registry_passes.give(frozenset({(digest, _AT_STORE)}), time_of(request))
    return RedirectResponse(f"{_other_host(request)}{STORE}/blobs/{digest}?ticket={ticket}", 307)


async def page_of_model(request: Request) -> Response:
    """``GET /sandbox/{model}``: the page of a model of the account's, with a tag behind a colon, or ``latest``."""
    if request.method not in {"GET", "HEAD"}:
        raise HTTPException(404)  # as for every other path below the sandbox's own
    try:
        name = ModelName.parse(f"{ACCOUNT['name']}/{request.path_params['model']}")
    except UsageError:
        return page("message.html", 404, title="No such model", text="That is no model's name.")
    content = _files(request).manifest(name.repository, name.tag)
    if content is None:
        return page("message.html", 404, title="No such model", text=f"There is no {name} here.")
    blobs = Manifest.parse(content).blobs
    size = size_in_words(sum(blob.size for blob in blobs))
    text = f"A private model of “{ACCOUNT['name']}”: {len(blobs)} files, {size}."
    return page("message.html", title=str(name), text=text)


async def begin_upload(request: Request) -> Response:
    """``POST /v2/…/blobs/uploads/``: begin to send a blob, or have one that is there already."""
    files, repository, asked = _files(request), _repository(request), request.query_params
    source, digest = asked.get("from", ""), asked.get("mount", "")
    mounted = bool(source and _DIGEST.fullmatch(digest) and _is_repository(source))
    rights = [(repository, "push"), (repository, "pull"), *([(source, "pull")] if mounted else [])]
    require(request, *rights)
    if mounted and files.has(source, digest):
        files.link(repository, digest)
        return Response(status_code=201, headers={"Location": f"/v2/{repository}/blobs/{digest}"})
    place = f"{own_url(request)}/v2/{repository}/blobs/uploads/{files.begin(repository)}"
    return Response(status_code=202, headers={"Location": place})  # whole: the reference cannot follow any other


async def upload(request: Request) -> Response:
    """``GET``, ``PATCH`` and ``PUT /v2/…/blobs/uploads/{name}``: how far it is, a part of it, its end."""
    files, repository, name = _files(request), _repository(request), request.path_params["name"]
    require(request, (repository, "push"), (repository, "pull"))
    found = files.upload(repository, name)
    if found is None:
        return _error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    if request.method == "PATCH":
        return await _patch(request, found)
    if request.method == "GET":
        return Response(status_code=204, headers=_progress(request, found))
    digest, etag = request.query_params.get("digest", ""), request.query_params.get("etag")
    if not _DIGEST.fullmatch(digest) or (found.parts and etag != await to_thread(found.etag)):
        return _error(400, "DIGEST_INVALID", "the parts are not those that were announced")
    if not await to_thread(files.end, name, digest):
        return _error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    return Response(status_code=201, headers={"Location": f"/v2/{repository}/blobs/{digest}"})


async def _patch(request: Request, found: Upload) -> Response:
    part = _PART.fullmatch(request.headers.get("content-range", ""))
    first, last = (int(part[1]), int(part[2])) if part else (found.size, found.size)
    if part is None or first != found.size or last < first:
        return Response(status_code=416, headers=_progress(request, found))
    if request.headers.get("x-redirect-uploads") == "1":
        found.parts.append((first, last - first + 1))
        found.size = last + 1
        name = request.path_params["name"]
        place = f"{_other_host(request)}{STORE}/uploads/{name}/{first}-{last}?ticket={found.ticket}"
        return Response(
            status_code=307,
            headers={"Location": place, "Docker-Upload-Location": f"{own_url(request)}{request.url.path}"},
        )
    await found.append(request.stream())
    return Response(status_code=202, headers=_progress(request, found))


async def stored_blob(request: Request) -> Response:
    """``GET /registry-store/blobs/{digest}``: a blob, or the part of it that is asked for."""
    digest, ticket = request.path_params["digest"], request.query_params.get("ticket", "")
    if not sandbox_of(request).registry_passes.holds(ticket, [(digest, _AT_STORE)], time_of(request)):
        return PlainTextResponse("The address is not good any more.\n", 403)
    _refuse_credential(request)
    path = _files(request).blob(digest)
    size = path.stat().st_size
    part = _RANGE.fullmatch(request.headers.get("range", ""))
    if part is None:
        return StreamingResponse(_content(path, 0, size), headers={"Content-Length": str(size)})
    first, last = int(part[1]), min(int(part[2] or size - 1), size - 1)
    if first > last:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers = {"Content-Length": str(last - first + 1), "Content-Range": f"bytes {first}-{last}/{size}"}
    return StreamingResponse(_content(path, first, last + 1), 206, headers)


async def stored_part(request: Request) -> Response:
    """``PUT /registry-store/uploads/{name}/{part}``: a part of an upload."""
    found = _files(request).upload_of(request.path_params["name"], request.query_params.get("ticket", ""))
    part = _PART.fullmatch(request.path_params["part"])
    if found is None or part is None:
        return PlainTextResponse("The address is not good any more.\n", 403)
    _refuse_credential(request)
    first, size = int(part[1]), int(part[2]) - int(part[1]) + 1
    if request.headers.get("content-length") != str(size) or (first, size) not in found.parts:
        return PlainTextResponse("This is not the part that was announced.\n", 400)
    await found.write_part(first, request.stream())
    return Response()


def _refuse_credential(request: Request) -> None:
    if "authorization" in request.headers:
        raise RefusedError(400, "an address of its own is all that this host takes; a credential went along")


async def _content(path: Path, first: int, end: int) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while first < end and (piece := file.read(min(READ_AT_ONCE, end - first))):
            first += len(piece)
            yield piece


def _files(request: Request) -> RegistryFiles:
    return sandbox_of(request).registry_files


def _repository(request: Request) -> str:
    """Namespace and model that a path names.

    Raises:
        UsageError: It cannot be one.
    """
    named = request.path_params
    return ModelName.parse(f"{named['namespace']}/{named['model']}:{named.get('tag', 'latest')}").repository


def _is_repository(text: str) -> bool:
    try:
        return ModelName.parse(text).repository == text
    except UsageError:
        return False


def _other_host(request: Request) -> str:
    """This server under its other name, which makes it another host."""
    name, _, port = request.headers["host"].rpartition(":")
    return f"http://{'127.0.0.1' if name == 'localhost' else 'localhost'}:{port}"


def _progress(request: Request, found: Upload) -> dict[str, str]:
    return {"Location": f"{own_url(request)}{request.url.path}", "Range": f"0-{max(found.size - 1, 0)}"}


def _error(status: int, code: str, message: str) -> Response:
    body: dict[str, Any] = {"errors": [{"code": code, "message": message, "detail": None}]}
    return JSONResponse(body, status)


async def answer_bad_name(_request: Request, _error_seen: Exception) -> Response:
    """Answer for a path whose names are none."""
    return _error(404, "NAME_INVALID", "invalid repository name")
