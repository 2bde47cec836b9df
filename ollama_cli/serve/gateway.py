"""The gateway: which server answers a request, and in whose name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ollama_cli import __version__
from ollama_cli.api.model_ref import ModelRef
from ollama_cli.errors import CliError, UsageError
from ollama_cli.serve import account, lists, paths
from ollama_cli.serve.bodies import ClientGoneError, Shelf, read
from ollama_cli.serve.client import Client
from ollama_cli.serve.forwarding import ask_cloud, ask_daemon, came_back, pass_on
from ollama_cli.serve.model_field import ModelField, find_model, is_blank, replaced
from ollama_cli.serve.refusals import RefusedError, json_answer, refusal_of, text_answer
from ollama_cli.serve.servers import Cloud, Server, WholeBody
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.serve.account import Devices

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
        if came_back(client.headers):
            raise RefusedError(508, "the request came here a second time: servers name each other with --daemon")
        methods = paths.methods_of(path)
        if self.daemon is not None and not paths.is_private(path) and _is_daemons(client.method, path, methods):
            await pass_on(client, self.daemon)
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
                await ask_cloud(client, cloud, path, body, held)
            elif self.daemon is not None:
                body = WholeBody([held.body])
                await ask_daemon(client, self.daemon, body, held)
            else:
                raise _no_model(path, field)

    async def _ask_web(self, client: Client, path: str) -> None:
        with self.shelf.holding() as held:
            await read(client.scope, client.receive, held)
            if is_blank(held.body):
                raise RefusedError(400, "missing request body")
            await ask_cloud(client, self._cloud(path), paths.WEB[path], WholeBody([held.body]), held)

    async def _tell_model(self, client: Client) -> None:
        await client.drain()
        name = paths.model_in(client.scope["raw_path"])
        model = _parsed(name) if name else None
        if model is not None and model.source == "cloud":
            await ask_cloud(client, self._cloud(paths.MODEL_DETAILS), paths.details_path(model.base))
        elif self.daemon is not None and name:
            await ask_daemon(client, self.daemon)
        else:
            raise RefusedError(404, f"model '{name or ''}' not found")

    def _cloud(self, path: str) -> Cloud:
        if self.cloud is None:
            raise RefusedError(403, paths.told_when_disabled(path), plain=True)
        return self.cloud


def _is_daemons(method: str, path: str, methods: tuple[str, ...]) -> bool:
    """Whether a daemon answers what nobody looks into here; its clients want to know its version, not ours."""
    return method not in methods or path == "/api/version"


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
