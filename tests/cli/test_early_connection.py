"""The connection that a question opens while the program is loading: used once, never wasted, told when it fails."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from asyncio_server import ConnectionHandler, asyncio_server, passing_on_to
from ollama_com import tls_for
from support import Cli

from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.transport import early

MODEL = "gpt-oss:120b-cloud"


class Front:
    """A TLS server before a sandbox.

    Attributes:
        connections: How many connections it has had, with their TLS.
        dropped: How many of the first it drops before a request.
    """

    def __init__(self, handler: ConnectionHandler) -> None:
        self.connections = 0
        self.dropped = 0
        self._handler = handler

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.connections > self.dropped:
            await self._handler(reader, writer)


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return made


@pytest.fixture
def sandbox_here(tmp_path: Path) -> Iterator[EmbeddedSandbox]:
    with EmbeddedSandbox(tmp_path / "sandbox", pace=0) as sandbox:
        yield sandbox


@pytest.fixture
def front(sandbox_here: EmbeddedSandbox) -> Front:
    return Front(passing_on_to(sandbox_here.url))


@pytest.fixture
def asker(
    cli: Cli, front: Front, authority: trustme.CA, tmp_path: Path, sandbox_here: EmbeddedSandbox
) -> Iterator[Cli]:
    """The command, whose cloud is that server, with an API key of the sandbox's."""
    with asyncio_server(front, tls_for("localhost", authority=authority)) as port:
        yield Cli(
            cli.home,
            {
                "OLLAMA_CLOUD_BASE_URL": f"https://localhost:{port}",
                "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
                "OLLAMA_API_KEY": sandbox_here.make_api_key().reveal(),
            },
        )


def test_the_answer_comes_over_the_one_connection(asker: Cli, front: Front) -> None:
    done = asker("run", MODEL, "hi")
    assert (done.returncode, front.connections) == (0, 1), done.stderr
    assert "hi" in done.stdout


def test_a_connection_that_is_dropped_before_the_request_is_made_again(asker: Cli, front: Front) -> None:
    front.dropped = 1
    done = asker("run", MODEL, "hi")
    assert (done.returncode, front.connections) == (0, 2), done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "status"),
    [
        (["run", MODEL, "hi"], {"OLLAMA_NO_CLOUD": "1"}, 5),
        (["run", "a-local-model", "hi"], {"OLLAMA_HOST": "http://127.0.0.1:9"}, 7),
        (["run", MODEL, "hi", "--option", "nonsense"], {}, 2),
        (["--sandbox", "run", MODEL, "hi"], {}, 0),
    ],
    ids=["cloud off", "a daemon's model", "a mistake", "the sandbox"],
)
def test_a_question_that_does_not_go_there_connects_to_nobody(
    asker: Cli, front: Front, arguments: list[str], environment: dict[str, str], status: int
) -> None:
    assert asker(*arguments, env=environment).returncode == status
    assert front.connections == 0


def test_a_certificate_that_is_not_trusted_is_told(asker: Cli) -> None:
    done = asker("run", MODEL, "hi", "--json", env={"SSL_CERT_FILE": ""})
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (7, "tls")


def test_a_certificate_file_that_is_missing_is_told(asker: Cli) -> None:
    done = asker("run", MODEL, "hi", env={"SSL_CERT_FILE": "/nowhere.pem"})
    assert (done.returncode, "SSL_CERT_FILE" in done.stderr) == (2, True), done.stderr


def test_a_server_that_is_not_there_is_told(cli: Cli) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        url = f"https://127.0.0.1:{closed.getsockname()[1]}"
        done = cli("run", MODEL, "hi", "--json", env={"OLLAMA_CLOUD_BASE_URL": url, "OLLAMA_API_KEY": "x"})
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (7, "connection_refused")


def test_a_connection_that_was_waited_for_too_long_is_closed_and_not_used(
    front: Front, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    monkeypatch.setattr(early, "SECONDS_OF_USE", 0.0)
    with asyncio_server(front, tls_for("localhost", authority=authority)) as port:
        connection = early.connect_early(f"https://localhost:{port}")
        assert connection is not None
        assert connection.take() is None


def test_a_connection_that_nobody_takes_is_closed(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    ended = threading.Event()

    async def wait_for_the_end(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        try:
            await reader.read()  # the end of its TLS may be told, or not
        finally:
            ended.set()

    with asyncio_server(wait_for_the_end, tls_for("localhost", authority=authority)) as port:
        connection = early.connect_early(f"https://localhost:{port}")
        assert connection is not None
        connection.close()
        assert connection.take() is None
        assert ended.wait(10)
