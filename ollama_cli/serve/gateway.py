"""The gateway: which server answers a request, and in whose name."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ollama_cli import __version__
from ollama_cli.api.model_ref import ModelRef
from ollama_cli.errors import CliError, UsageError
from ollama_cli.serve import account, lists, paths
from ollama_cli.serve.bodies import ClientGoneError, Held, Shelf, read
from ollama_cli.serve.client import Client
from ollama_cli.serve.headers import Headers, onward, value_of
from ollama_cli.serve.model_field import ModelField, find_model, is_blank, replaced
from ollama_cli.serve.refusals import RefusedError, json_answer, refusal_of, text_answer
from ollama_cli.serve.relay import relay, relay_signed
from ollama_cli.serve.servers import FOR_A_DAEMON, Cloud, Onward, Server, WholeBody
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.transport.lean_httpx import httpx

if TYPE_CHECKING:
    from ollama_cli.serve.account import Devices

_FORM = b"application/x-www-form-urlencoded"
"""What `curl -d` says of every body, also of the JSON that was read from it."""

_OWN_NAME = f"ollama-cli-{secrets.token_hex(8)}".encode("ascii")
_VIA = (b"via", b"1.1 " + _OWN_NAME)
"""What a daemon is told of us, so that a request which comes back is known."""

_QUICKLY_SEARCHED = 256 * 1024
"""Bytes of a body that are searched at once; a longer one beside everything else."""


@dataclass(frozen=True)
class Gateway:
    """Answers requests that were let through.

    Attributes:
        cloud: ollama.com; None where cloud models are off.
        daemon: Answers what is not the cloud's, or None.
        devices: What signs devices out.
        stopping: Done when the server stops.
        shelf: Where bodies are held.
        observe: Told of each request once it is answered, or None.
        tell: Told of what should not happen.
    """

    cloud: Cloud | None
    daemon: Server | None
    devices: Devices
    stopping: asyncio.Future[None]
    shelf: Shelf
    observe: Callable[[str], None] | None
    tell: Callable[[str], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as ASGI has it."""
        client, started = Client(scope, receive, send), time.monotonic()
        await client.attend(self._answer(client), self.stopping)
        if self.observe is not None:
            seconds = time.monotonic() - started
            self.observe(clean_line(f"{client.method} {scope['path']} {client.status} {seconds:.3f} s"))

    async def _answer(self, client: Client) -> None:
        try:
            await self._route(client)
        except RefusedError as refused:
            await client.refuse(refused)
        except ClientGoneError:
            client.hang_up()
        except CliError as error:
            await client.refuse(refusal_of(error))
        except Exception as error:  # noqa: BLE001 - nobody is ever shown a traceback, and nothing else is to end
            self.tell(f"A request failed for a reason within ollama-cli: {type(error).__name__}.")
            await client.refuse(RefusedError(500, "the gateway failed"))

    async def _route(self, client: Client) -> None:
        path = paths.clean(client.scope["raw_path"])
        if path is None:
            await client.answer(text_answer("404 page not found", 404))
            return
        client.scope["path"] = path
        if _came_back(client.headers):
            raise RefusedError(508, "the request came here a second time: servers name each other with --daemon")
        methods = paths.methods_of(path)
        if self.daemon is not None and not paths.is_private(path) and _is_daemons(client.method, path, methods):
            await self._pass_on(client, self.daemon)
        elif client.method in methods:
            await self._answer_own(client, path)
        elif methods:
            await client.answer(text_answer("405 method not allowed", 405, Allow=", ".join(methods)))
        elif paths.needs_daemon(path):
            raise RefusedError(
                404, f"{path} is answered by an Ollama server only, and `serve` was given none (--daemon)"
            )
        else:
            await client.answer(text_answer("404 page not found", 404))

    async def _answer_own(self, client: Client, path: str) -> None:
        if path in paths.INFERENCE:
            await self._ask_model(client, path)
        elif path in paths.WEB:
            await self._ask_web(client, path)
        elif path.startswith(paths.MODEL_DETAILS):
            await self._tell_model(client)
        else:
            await client.drain()
            await client.answer(await self._short_answer(path))

    async def _short_answer(self, path: str) -> Response:
        if path == "/":
            return text_answer("Ollama is running")
        if path == "/api/version":
            return json_answer({"version": __version__})
        if path == "/api/tags":
            return json_answer(await lists.tags(self.cloud, self.daemon))
        if path == "/v1/models":
            return JSONResponse(await lists.models(self.cloud, self.daemon))  # its content type as the reference's
        if path == "/api/signout":
            self._cloud(path)
            return await account.sign_out(self.devices)
        if path == "/api/me":
            return json_answer(await account.me(self._cloud(path), self.devices))
        return await account.remove(path.removeprefix(paths.DEVICE_KEY), self._cloud(path), self.devices)

    async def _ask_model(self, client: Client, path: str) -> None:
        with self.shelf.holding() as held:
            await read(client.scope, client.receive, held)
            names = ("model", "name") if path == "/api/show" else ("model",)
            if len(held.body) > _QUICKLY_SEARCHED:
                field = await asyncio.to_thread(find_model, held.body, names)
            else:
                field = find_model(held.body, names)
            model = _model_of(field)
            if model is not None and model.source == "cloud":
                cloud = self._cloud(path)
                body = WholeBody(replaced(held.body, field, model.base))
                await self._ask_cloud(client, cloud, path, body, held)
            elif self.daemon is not None:
                body = WholeBody([held.body])
                await self._send(client, self.daemon, body, held)
            else:
                raise _no_model(path, field)

    async def _ask_web(self, client: Client, path: str) -> None:
        with self.shelf.holding() as held:
            await read(client.scope, client.receive, held)
            if is_blank(held.body):
                raise RefusedError(400, "missing request body")
            await self._ask_cloud(client, self._cloud(path), paths.WEB[path], WholeBody([held.body]), held)

    async def _tell_model(self, client: Client) -> None:
        await client.drain()
        name = paths.model_in(client.scope["raw_path"])
        model = _parsed(name) if name else None
        if model is not None and model.source == "cloud":
            await self._ask_cloud(client, self._cloud(paths.MODEL_DETAILS), paths.details_path(model.base))
        elif self.daemon is not None and name:
            await self._send(client, self.daemon)
        else:
            raise RefusedError(404, f"model '{name or ''}' not found")

    def _cloud(self, path: str) -> Cloud:
        if self.cloud is None:
            raise RefusedError(403, paths.told_when_disabled(path), plain=True)
        return self.cloud

    async def _ask_cloud(
        self, client: Client, cloud: Cloud, path: str, body: WholeBody | None = None, held: Held | None = None
    ) -> None:
        """Send a request to the cloud, signed, and pass its answer on."""
        headers = onward(client.headers, unpacked=True)
        if body is not None:
            headers.append((b"content-length", b"%d" % len(body)))
            if value_of(headers, b"content-type").partition(b";")[0].strip().lower() in {b"", _FORM}:
                headers = [header for header in headers if header[0] != b"content-type"]
                headers.append((b"content-type", b"application/json"))
        response, signed = await cloud.open_signed(Onward(client.method, _target(path, client), headers, body))
        _let_go(body, held)
        await relay_signed(client, response, signed)

    async def _send(
        self, client: Client, daemon: Server, body: WholeBody | None = None, held: Held | None = None
    ) -> None:
        """Send a request on to the daemon, and pass its answer on."""
        headers = [*onward(client.headers, unpacked=True), _VIA]
        if body is not None:
            headers.append((b"content-length", b"%d" % len(body)))
        path = client.scope["raw_path"].decode("ascii")
        response = await daemon.open(Onward(client.method, _target(path, client), headers, body, FOR_A_DAEMON))
        _let_go(body, held)
        await relay(client, response)

    async def _pass_on(self, client: Client, daemon: Server) -> None:
        """Send a request on to the daemon whose body nobody looks at: it may be a whole model."""
        headers = [*onward(client.headers, unpacked=False), _VIA]
        length = value_of(client.headers, b"content-length")
        body: httpx.AsyncByteStream | None = None
        if length or value_of(client.headers, b"transfer-encoding"):
            body = _Passing(client)
            headers.append((b"content-length", length) if length else (b"transfer-encoding", b"chunked"))
        else:
            await client.drain()
        path = client.scope["raw_path"].decode("ascii")
        response = await daemon.open(Onward(client.method, _target(path, client), headers, body, FOR_A_DAEMON))
        await relay(client, response)


class _Passing(httpx.AsyncByteStream):
    """A request's body, as it comes from the client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._client.body():
            yield piece


def _came_back(headers: Headers) -> bool:
    """Whether a request was here before; a proxy on its way may have written several names into one header."""
    return any(name == b"via" and _OWN_NAME in value.lower() for name, value in headers)


def _is_daemons(method: str, path: str, methods: tuple[str, ...]) -> bool:
    """Whether a daemon answers what nobody looks into here; its clients want to know its version, not ours."""
    return method not in methods or path == "/api/version"


def _target(path: str, client: Client) -> str:
    query = client.scope["query_string"].decode("ascii")
    return f"{path}?{query}" if query else path


def _let_go(body: WholeBody | None, held: Held | None) -> None:
    """Forget a body that has been sent: its answer may take long."""
    if body is not None:
        body.let_go()
    if held is not None:
        held.let_go()


def _parsed(name: str) -> ModelRef:
    try:
        return ModelRef.parse(name)
    except UsageError as error:
        quoted = name.strip().replace("\\", "\\\\").replace('"', '\\"')
        raise RefusedError(400, f'use either :local or :cloud, not both: "{quoted}"') from error


def _model_of(field: ModelField) -> ModelRef | None:
    model = _parsed(field.text) if field.text else None
    return model if model is not None and model.base else None


def _no_model(path: str, field: ModelField) -> RefusedError:
    """The refusal of a request for a model that is not the cloud's, where there is no daemon."""
    if not field.text and path not in {"/api/generate", "/api/embed"}:
        return RefusedError(400, "model is required")
    return RefusedError(404, f"model '{field.text}' not found")
