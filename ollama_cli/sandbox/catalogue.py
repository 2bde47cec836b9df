"""What can be asked without a question: the models, one model's details, the version."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ollama_cli.sandbox.authentication import authenticate
from ollama_cli.sandbox.bodies import json_body
from ollama_cli.sandbox.models import MODELS, MODIFIED_AT, MODIFIED_AT_SECONDS, Model, find_model
from ollama_cli.sandbox.questions import model_in
from ollama_cli.sandbox.shared import sandbox_of


async def root(_request: Request) -> Response:
    """``GET /`` and ``HEAD /``: that something is here."""
    return PlainTextResponse("The sandbox of ollama-cli, a stand-in for ollama.com. Its page: /settings/keys\n")


async def version(_request: Request) -> Response:
    """``GET /api/version``."""
    return JSONResponse({"version": "0.0.0-sandbox"})


async def instance(request: Request) -> Response:
    """``GET /sandbox``: which run of the sandbox this is."""
    return JSONResponse({"sandbox": sandbox_of(request).instance})


async def requests(request: Request) -> Response:
    """``GET /sandbox/requests``: what was sent here last, without credentials."""
    return JSONResponse(sandbox_of(request).journal.entries())


async def tags(_request: Request) -> Response:
    """``GET /api/tags``: the models. Anybody may ask, as at ollama.com."""
    return JSONResponse(
        {
            "models": [
                {
                    "name": model.name,
                    "model": model.name,
                    "modified_at": MODIFIED_AT,
                    "size": model.size,
                    "digest": model.digest,
                    "details": model.details,
                    "capabilities": list(model.capabilities),
                }
                for model in MODELS
            ]
        }
    )


async def show(request: Request) -> Response:
    """``POST /api/show``: a model's details."""
    authenticate(request)
    model, _ = model_in(await json_body(request))
    return JSONResponse(
        {
            "details": model.details,
            "model_info": {
                "general.architecture": model.family,
                "general.parameter_count": model.parameters,
                f"{model.family}.context_length": model.context_length,
                f"{model.family}.embedding_length": model.embedding_length,
            },
            "capabilities": list(model.capabilities),
            "modified_at": MODIFIED_AT,
        }
    )


async def pull(request: Request) -> Response:
    """``POST /api/pull``: a cloud model has nothing to load, so this is done at once."""
    authenticate(request)
    model_in(await json_body(request))
    return PlainTextResponse('{"status":"success"}\n', media_type="application/x-ndjson")


async def openai_models(_request: Request) -> Response:
    """``GET /v1/models``: the models, in OpenAI's form."""
    return JSONResponse({"object": "list", "data": [_openai_model(model) for model in MODELS]})


async def openai_model(request: Request) -> Response:
    """``GET /v1/models/{name}``: one model, in OpenAI's form."""
    return JSONResponse(_openai_model(find_model(request.path_params["name"])))


def _openai_model(model: Model) -> dict[str, Any]:
    return {"id": model.name, "object": "model", "created": MODIFIED_AT_SECONDS, "owned_by": "library"}
