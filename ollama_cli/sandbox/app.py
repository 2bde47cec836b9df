"""The sandbox's routes, put together."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from ollama_cli.errors import StoreError, UsageError
from ollama_cli.sandbox import (
    account_api,
    anthropic,
    catalogue,
    inference,
    openai,
    openai_responses,
    openai_texts,
    pages,
    registry,
    registry_tokens,
    web,
)
from ollama_cli.sandbox.account_api import ACCOUNT
from ollama_cli.sandbox.failing import Failing
from ollama_cli.sandbox.faults import Fault, FaultPlan
from ollama_cli.sandbox.refusals import (
    RefusedError,
    answer_broken_store,
    answer_no_method,
    answer_no_route,
    answer_refusal,
)
from ollama_cli.sandbox.shared import Sandbox
from ollama_cli.sandbox.wire import Wire

_ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_REPOSITORY = "/v2/{namespace}/{model}"

_ROUTES = (
    Route("/", catalogue.root),
    Route("/sandbox", catalogue.instance),
    Route("/sandbox/requests", catalogue.requests),
    Route(f"/{ACCOUNT['name']}/{{model}}", registry.page_of_model, methods=_ANY),
    Route("/api/version", catalogue.version),
    Route("/api/tags", catalogue.tags),
    Route("/api/show", catalogue.show, methods=["POST"]),
    Route("/api/pull", catalogue.pull, methods=["POST"]),
    Route("/api/me", account_api.me, methods=["POST"]),
    Route("/api/signout", account_api.sign_out, methods=["POST"]),
    Route("/api/user/keys/{key}", account_api.remove_key, methods=["DELETE"]),
    Route("/api/generate", inference.generate, methods=["POST"]),
    Route("/api/chat", inference.chat, methods=["POST"]),
    Route("/api/embed", inference.embed, methods=["POST"]),
    Route("/api/web_search", web.search, methods=["POST"]),
    Route("/api/web_fetch", web.fetch, methods=["POST"]),
    Route("/v1/models", catalogue.openai_models),
    Route("/v1/models/{name:path}", catalogue.openai_model),
    Route("/v1/chat/completions", openai.chat_completions, methods=["POST"]),
    Route("/v1/completions", openai_texts.completions, methods=["POST"]),
    Route("/v1/embeddings", openai_texts.vectors, methods=["POST"]),
    Route("/v1/responses", openai_responses.responses, methods=["POST"]),
    Route("/v1/messages", anthropic.messages, methods=["POST"]),
    Route("/v2/", registry.root),
    Route(registry_tokens.TOKEN_PATH, registry_tokens.token),
    Route(f"{_REPOSITORY}/manifests/{{tag}}", registry.manifest, methods=["GET", "PUT"]),
    Route(f"{_REPOSITORY}/blobs/uploads/", registry.begin_upload, methods=["POST"]),
    Route(f"{_REPOSITORY}/blobs/uploads/{{name}}", registry.upload, methods=["GET", "PATCH", "PUT"]),
    Route(f"{_REPOSITORY}/blobs/{{digest}}", registry.blob),
    Route(f"{registry.STORE}/blobs/{{digest}}", registry.stored_blob),
    Route(f"{registry.STORE}/uploads/{{name}}/{{part}}", registry.stored_part, methods=["PUT"]),
    Route("/connect", pages.connect),
    Route("/connect", pages.decide, methods=["POST"]),
    Route("/settings/keys", pages.keys),
    Route("/settings/keys", pages.change_keys, methods=["POST"]),
)


def create_app(sandbox: Sandbox, faults: tuple[Fault, ...] = ()) -> ASGIApp:
    """The whole sandbox as an ASGI app.

    Args:
        sandbox: What its routes share.
        faults: What it is to fail at.
    """
    app = Starlette(
        routes=_ROUTES,
        exception_handlers={
            RefusedError: answer_refusal,
            StoreError: answer_broken_store,
            registry_tokens.ChallengedError: registry_tokens.answer_challenge,
            UsageError: registry.answer_bad_name,
            404: answer_no_route,
            405: answer_no_method,
        },
    )
    app.router.redirect_slashes = False
    app.state.sandbox = sandbox
    return Wire(Failing(app, FaultPlan(faults)), sandbox)
