"""An OpenAI client with ``OllamaAuth``: what it sends as its API key is replaced by a signature."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest
from watching_proxy import WatchingProxy

from ollama_cli import DeviceKey, OllamaAuth
from ollama_cli.errors import SafetyError
from ollama_cli.sandbox.server import EmbeddedSandbox

MODEL = "gpt-oss:120b"


def opened(url: str, auth: OllamaAuth, *, follow_redirects: bool = False) -> openai.OpenAI:
    # Any: from its third series on the package's types name another package's clients; it takes httpx's as before.
    http_client: Any = httpx.Client(auth=auth, trust_env=False, follow_redirects=follow_redirects)
    return openai.OpenAI(base_url=f"{url}/v1", api_key="not-a-key", http_client=http_client)


@pytest.fixture
def client(cloud: EmbeddedSandbox, key: DeviceKey) -> Iterator[openai.OpenAI]:
    with opened(cloud.url, OllamaAuth(key, cloud.url)) as client:
        yield client


def text_of(client: openai.OpenAI) -> str:
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hello"}])
    return answer.choices[0].message.content or ""


def test_chat(client: openai.OpenAI) -> None:
    assert "“hello”" in text_of(client)


def test_a_streamed_chat(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hello"}], stream=True)
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert len(pieces) > 5
    assert "“hello”" in "".join(pieces)


def test_tools(client: openai.OpenAI) -> None:
    parameters: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "How is the weather in Oslo?"}],
        tools=[{"type": "function", "function": {"name": "weather", "parameters": parameters}}],
    )
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Oslo"}')


def test_embeddings_responses_and_models(client: openai.OpenAI) -> None:
    vectors = client.embeddings.create(model="embeddinggemma:300m", input=["one", "two"], encoding_format="float").data
    assert len(vectors) == 2
    assert "“hello”" in client.responses.create(model=MODEL, input="hello").output_text
    assert MODEL in {model.id for model in client.models.list()}


def test_the_asynchronous_client(cloud: EmbeddedSandbox, key: DeviceKey) -> None:
    async def ask() -> str:
        http_client: Any = httpx.AsyncClient(auth=OllamaAuth(key, cloud.url), trust_env=False)
        async with openai.AsyncOpenAI(
            base_url=f"{cloud.url}/v1", api_key="not-a-key", http_client=http_client
        ) as client:
            stream = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "hello"}], stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert "“hello”" in asyncio.run(ask())


def test_a_key_that_is_not_on_the_account_is_refused(cloud: EmbeddedSandbox) -> None:
    auth = OllamaAuth(DeviceKey.generate(), cloud.url)
    with opened(cloud.url, auth) as client, pytest.raises(openai.AuthenticationError):
        text_of(client)


def test_nothing_is_sent_to_another_origin(cloud: EmbeddedSandbox, key: DeviceKey) -> None:
    other = WatchingProxy(cloud.url)
    with other.running(), opened(other.url, OllamaAuth(key, cloud.url)) as client, pytest.raises(SafetyError):
        text_of(client)
    assert other.seen == []


def test_what_the_package_takes_for_its_key_is_not_sent(cloud: EmbeddedSandbox, key: DeviceKey) -> None:
    seen = WatchingProxy(cloud.url)
    with seen.running(), opened(seen.url, OllamaAuth(key, seen.url)) as client:
        text_of(client)
    assert [request.credential for request in seen.seen] == [key.fingerprint]


def test_a_redirect_takes_no_credential_to_another_origin(
    cloud: EmbeddedSandbox, start: Callable[..., EmbeddedSandbox]
) -> None:
    other = WatchingProxy(cloud.url)
    with other.running():
        sandbox = start(f"/v1/chat/completions=redirect:{other.url}/v1/chat/completions")
        auth = OllamaAuth(DeviceKey.generate(), sandbox.url)
        with opened(sandbox.url, auth, follow_redirects=True) as client, pytest.raises(openai.AuthenticationError):
            text_of(client)
    assert [request.authorization for request in other.seen] == [None]
