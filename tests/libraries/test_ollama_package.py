"""The official ``ollama`` package with ``OllamaAuth``: the sandbox checks each signature for real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import httpx
import ollama
import pytest
from support import approved_key
from watching_proxy import WatchingProxy

from ollama_cli import DeviceKey, OllamaAuth
from ollama_cli.errors import SafetyError
from ollama_cli.sandbox.server import EmbeddedSandbox

MODEL = "gpt-oss:120b"
HELLO = [{"role": "user", "content": "hello"}]
Start = Callable[..., EmbeddedSandbox]


@pytest.fixture
def client(cloud: EmbeddedSandbox, key: DeviceKey) -> Iterator[ollama.Client]:
    with ollama.Client(host=cloud.url, auth=OllamaAuth(key, cloud.url)) as client:
        yield client


def test_chat(client: ollama.Client) -> None:
    answer = client.chat(MODEL, messages=HELLO)
    assert answer.done
    assert "“hello”" in str(answer.message.content)
    assert answer.message.thinking


def test_a_streamed_chat(client: ollama.Client) -> None:
    chunks = list(client.chat(MODEL, messages=HELLO, stream=True))
    assert len(chunks) > 5
    assert chunks[-1].done
    assert "“hello”" in "".join(chunk.message.content or "" for chunk in chunks)


def test_generate(client: ollama.Client) -> None:
    assert "“hello”" in (client.generate(MODEL, "hello").response or "")
    assert "“hello”" in "".join(chunk.response or "" for chunk in client.generate(MODEL, "hello", stream=True))


def test_embed(client: ollama.Client) -> None:
    (first, second) = client.embed("embeddinggemma:300m", input=["one", "two"]).embeddings
    assert len(first) == len(second) > 1
    assert first != second


def test_list_and_show(client: ollama.Client) -> None:
    assert MODEL in {model.model for model in client.list().models}
    assert "thinking" in (client.show(MODEL).capabilities or [])


def test_tools(client: ollama.Client) -> None:
    def weather(city: str) -> str:
        """Tell the weather.

        Args:
            city: Where.
        """
        return f"rain in {city}"

    messages: list[ollama.Message] = [ollama.Message(role="user", content="How is the weather in Oslo?")]
    answer = client.chat(MODEL, messages=messages, tools=[weather])
    (call,) = answer.message.tool_calls or []
    assert (call.function.name, call.function.arguments) == ("weather", {"city": "Oslo"})
    told = ollama.Message(role="tool", content=weather(**call.function.arguments), tool_name=call.function.name)
    assert "rain in Oslo" in str(client.chat(MODEL, messages=[*messages, answer.message, told]).message.content)


def test_the_asynchronous_client(cloud: EmbeddedSandbox, key: DeviceKey) -> None:
    async def ask() -> tuple[str, list[str]]:
        async with ollama.AsyncClient(host=cloud.url, auth=OllamaAuth(key, cloud.url)) as client:
            at_once, streamed = await asyncio.gather(
                client.chat(MODEL, messages=HELLO), client.chat(MODEL, messages=HELLO, stream=True)
            )
            return str(at_once.message.content), [chunk.message.content or "" async for chunk in streamed]

    at_once, pieces = asyncio.run(ask())
    assert len(pieces) > 5
    assert "".join(pieces) == at_once


def test_an_api_key(cloud: EmbeddedSandbox) -> None:
    auth = OllamaAuth(cloud.make_api_key("a library").reveal(), cloud.url)
    with ollama.Client(host=cloud.url, auth=auth) as client:
        assert client.chat(MODEL, messages=HELLO).done


def refused(client: ollama.Client) -> int:
    """The status of a chat that is refused."""
    with client, pytest.raises(ollama.ResponseError) as caught:
        client.chat(MODEL, messages=HELLO)
    return caught.value.status_code


def test_the_package_s_own_use_of_ollama_api_key_does_not_take_the_signature_s_place(
    cloud: EmbeddedSandbox, key: DeviceKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "refused-anyway")
    with ollama.Client(host=cloud.url, auth=OllamaAuth(key, cloud.url)) as client:
        assert client.chat(MODEL, messages=HELLO).done
    assert refused(ollama.Client(host=cloud.url)) == 401


def test_a_key_that_is_not_on_the_account_is_refused(cloud: EmbeddedSandbox) -> None:
    for credential in (DeviceKey.generate(), "no-such-api-key"):
        assert refused(ollama.Client(host=cloud.url, auth=OllamaAuth(credential, cloud.url))) == 401


def test_nothing_is_sent_to_another_origin(cloud: EmbeddedSandbox, key: DeviceKey) -> None:
    other = WatchingProxy(cloud.url)
    with other.running(), ollama.Client(host=other.url, auth=OllamaAuth(key, cloud.url)) as client:
        with pytest.raises(SafetyError):
            client.chat(MODEL, messages=HELLO)
        with pytest.raises(SafetyError):
            list(client.chat(MODEL, messages=HELLO, stream=True))
    assert other.seen == []


@pytest.mark.parametrize("api_key", [False, True], ids=["device key", "API key"])
def test_a_redirect_takes_no_credential_to_another_origin(cloud: EmbeddedSandbox, start: Start, api_key: bool) -> None:
    other = WatchingProxy(cloud.url)
    with other.running():
        sandbox = start(f"/api/chat=redirect:{other.url}/api/chat")
        credential = sandbox.make_api_key().reveal() if api_key else approved_key(sandbox)
        client = ollama.Client(host=sandbox.url, auth=OllamaAuth(credential, sandbox.url))
        assert refused(client) == 401  # by the other server, for the package follows redirects
    assert [request.authorization for request in other.seen] == [None]


def test_a_base_path_is_sent_and_not_signed(cloud: EmbeddedSandbox, key: DeviceKey) -> None:
    below = WatchingProxy(cloud.url, base_path="/some/where")
    host = f"{below.url}/some/where"
    with below.running(), ollama.Client(host=host, auth=OllamaAuth(key, host, "/some/where")) as client:
        assert client.chat(MODEL, messages=HELLO).done
        assert [chunk.done for chunk in client.chat(MODEL, messages=HELLO, stream=True)][-1]


@pytest.mark.parametrize("skew", [3600, -3600])
def test_a_clock_that_is_wrong_is_mended(start: Start, skew: int) -> None:
    sandbox = start(f"/api/chat=skew:{skew}")
    with ollama.Client(host=sandbox.url, auth=OllamaAuth(approved_key(sandbox), sandbox.url)) as client:
        assert client.chat(MODEL, messages=HELLO).done
        assert client.chat(MODEL, messages=HELLO).done


def test_a_clock_that_is_wrong_is_mended_for_all_requests_at_once(start: Start) -> None:
    sandbox = start("/api/chat=skew:3600")
    auth = OllamaAuth(approved_key(sandbox), sandbox.url)

    async def ask() -> list[ollama.ChatResponse]:
        async with ollama.AsyncClient(host=sandbox.url, auth=auth) as client:
            return list(await asyncio.gather(*(client.chat(MODEL, messages=HELLO) for _ in range(8))))

    assert all(answer.done for answer in asyncio.run(ask()))


def test_a_server_that_was_redirected_to_does_not_mend_the_clock(start: Start) -> None:
    other = start("*=skew:7200")
    sandbox = start(f"/api/chat=redirect:{other.url}/api/chat")
    auth = OllamaAuth(approved_key(sandbox), sandbox.url)
    assert refused(ollama.Client(host=sandbox.url, auth=auth)) == 401
    with httpx.Client(base_url=sandbox.url, trust_env=False) as looking:
        assert len(looking.get("/sandbox/requests").json()) == 1  # not once more, with the other server's time
