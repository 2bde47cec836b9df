"""What a person and a script are told of each fault, every one made for real: by the sandbox, or on a socket."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from asyncio_server import answering_bytes, asyncio_server, saying_bytes
from ollama_com import Proxy, badly_certified
from support import Cli, closed_port

from ollama_cli.sandbox.server import EmbeddedSandbox

pytestmark = pytest.mark.forked

MODEL = "gpt-oss:120b-cloud"
ERRORS = Path(__file__).parents[1] / "data" / "daemon_errors.json"
"""What a real daemon answered, status and body."""


@dataclass(frozen=True)
class Row:
    """A fault, and what comes of it.

    Attributes:
        name: What goes wrong.
        fault: How the sandbox is told to, or the name of a surrounding below.
        status: The exit status.
        code: The error's word for scripts.
        message: A part of its message.
        hint: A part of its hint.
    """

    name: str
    fault: str
    status: int
    code: str
    message: str
    hint: str = ""


def said(status: int, body: str, more: str = "") -> str:
    """A fault that answers a status and a body."""
    return f"status:{status}+body:{quote(body)}{more}"


def line(text: str, after: int = 2) -> str:
    """A fault that breaks an answer with a line."""
    return f"line:{after}:{quote(text)}"


def real(name: str) -> str:
    """A fault that answers what a real daemon did."""
    recorded = json.loads(ERRORS.read_text(encoding="utf-8"))[name]
    return said(recorded["status"], recorded["body"])


ROWS = [
    # The server refuses.
    Row("bad request", "status:400", 2, "bad_request", "400): the request is not valid"),
    Row("unauthorized", "status:401", 4, "api_key_refused", "OLLAMA_API_KEY is refused"),
    Row("unauthorized in plain text", said(401, "unauthorized"), 4, "api_key_refused", "is refused"),
    Row("payment needed", said(402, '{"error":"top up"}'), 5, "forbidden", "forbids it: top up", "settings"),
    Row("subscription needed", "status:403", 5, "forbidden", "needs a subscription", "settings"),
    Row("a filter's page", "status:403+body:html", 5, "forbidden", "on the way to the server", "proxy"),
    Row("no such model", "status:404", 3, "model_not_found", "no model 'gpt-oss:120b'"),
    Row("no such page", said(404, "404 page not found"), 7, "answer_invalid", "is no Ollama server: 404 page"),
    Row("retired", "status:410", 3, "model_retired", "not offered any more: this model is retired"),
    Row("too large", said(413, '{"error":"too large"}'), 2, "bad_request", "413): too large"),
    Row("usage limit", "status:429", 6, "limit_reached", "you have reached your usage limit", "settings"),
    Row(
        "usage limit for an hour",
        said(429, '{"error":"you have reached your hourly usage limit, try again later"}', "+retry-after:3600"),
        6,
        "limit_reached",
        "hourly usage limit",
        "60 minutes",
    ),
    Row(
        "too many at once",
        said(429, '{"error":"no concurrent request slot is free"}', "+retry-after:0"),
        6,
        "overloaded",
        "too many requests at once: no concurrent request slot",
    ),
    Row(
        "too many at once, and a wait too long to wait",
        said(429, '{"error":"too many requests"}', "+retry-after:120"),
        6,
        "overloaded",
        "too many requests",
        "asks to wait 2 minutes",
    ),
    Row("redirect", "redirect:https://elsewhere.example/", 7, "redirect", "a redirect (307)", "OLLAMA_HOST"),
    # The server fails.
    Row("failure", "status:500", 7, "server_error", "500: internal server error"),
    Row("failure, with an id in a header", "status:500+header:X-Request-Id:r-42", 7, "server_error", "(ref: r-42)"),
    Row(
        "failure without a word",
        "status:500+body:empty+header:X-Request-Id:r-42",
        7,
        "server_error",
        "500 (ref: r-42).",
    ),
    Row("gateway", "status:502+retry-after:0", 7, "server_error", "502: bad gateway"),
    Row("gateway's page", "status:502+body:html", 7, "gateway_error", "failed with status 502."),
    Row("gateway's words", "status:502+body:plain", 7, "gateway_error", "502: upstream is not there"),
    Row("overloaded", "status:503+retry-after:0", 7, "server_error", "retry shortly (ref: sandbox)"),
    Row(
        "overloaded until a date",
        f"status:503+retry-after:{quote('Wed, 21 Oct 2099 07:28:00 GMT')}",
        7,
        "server_error",
        "503",
        "hours",
    ),
    Row("gateway's patience", "status:504", 7, "server_error", "504"),
    # What a real daemon says.
    Row(
        "an error written as JSON in an error",
        real("gen_image"),
        2,
        "bad_request",
        "400): Multimodal data provided, but",
    ),
    Row("another", real("gen_notrunc"), 2, "bad_request", "exceeds the available context size"),
    Row("an error as an object", real("v1_missing"), 3, "model_not_found", "no model 'gpt-oss:120b': model 'nope'"),
    Row("an option of a wrong type", real("gen_badopt"), 7, "server_error", '"num_predict" must be of type integer'),
    Row("an ability that is missing", real("gen_suffix"), 2, "bad_request", "does not support insert"),
    Row("no model was named", real("gen_nobody"), 2, "bad_request", "missing request body"),
    # The answer is broken.
    Row("cut", "cut:2", 8, "answer_incomplete", "the connection was lost"),
    Row("ended without done", "end:2", 8, "answer_incomplete", "broke off before its end"),
    Row("nothing came", "end:0", 8, "answer_incomplete", "broke off before its end"),
    Row("error line", "error:2", 8, "answer_incomplete", "broke off: the sandbox was told to fail here"),
    Row("error line without words", line('{"error":{}}'), 8, "answer_incomplete", "The model broke off."),
    Row("error line with a status", line('{"error":"x","status_code":403}'), 5, "forbidden", "forbids it: x"),
    Row("error line with Go's status", line('{"StatusCode":503,"error":"busy"}'), 7, "server_error", "503: busy"),
    Row(
        "error line with a nested status", line('{"error":{"code":429,"message":"quota"}}'), 6, "limit_reached", "quota"
    ),
    Row("error line about a limit", line('{"error":"you have reached your usage limit"}'), 6, "limit_reached", "usage"),
    Row("error line about the plan", line('{"error":"this requires a subscription"}'), 5, "forbidden", "subscription"),
    Row("error line about the sign-in", line('{"error":"unauthorized"}'), 4, "api_key_refused", "is refused"),
    Row("error line about the crowd", line('{"error":"overloaded (ref: 7f)"}'), 7, "server_error", "(ref: 7f)"),
    Row("garbage", "garbage:2", 8, "answer_invalid", "something that is no answer"),
    Row("a list", line("[1, 2]"), 8, "answer_invalid", "something that is no answer"),
    Row("nested without end", line("[" * 5000), 8, "answer_invalid", "something that is no answer"),
    Row("an answer of another type", line('{"response":5}'), 8, "answer_invalid", "something that is no answer"),
    Row("a page", "body:html", 8, "answer_invalid", "something that is no answer", "sign-in page"),
    # The connection.
    Row("dropped", "drop", 7, "connection_lost", "broke off"),
    Row("reset", "reset", 7, "connection_lost", "broke off"),
    Row("nothing listens", "@refused", 7, "connection_refused", "Nothing answers"),
    Row("no such name", "@unknown-name", 7, "dns", "nowhere.invalid", "network"),
    Row("not HTTP", "@not-http", 7, "connection_lost", "broke off"),
    Row("shorter than announced", "@short", 8, "answer_incomplete", "the connection was lost"),
    Row("packed, and damaged", "@packed", 7, "answer_invalid", "cannot be decoded"),
    Row("packed, and damaged later", "@packed-later", 8, "answer_invalid", "cannot be decoded", "is kept"),
    # TLS.
    Row("no TLS", "@no-tls", 7, "tls", "does not speak TLS", "http://"),
    Row("closed in the handshake", "@tls-closed", 7, "connection_lost", "broke off"),
    Row("an unknown issuer", "@tls-untrusted", 7, "tls", "that this machine does not trust", "SSL_CERT_FILE"),
    Row("expired", "@tls-expired", 7, "tls", "has expired", "clock"),
    Row("not valid yet", "@tls-early", 7, "tls", "not valid yet", "clock"),
    Row("for another name", "@tls-other", 7, "tls", "but for another name", "sign-in page"),
    # The proxy.
    Row("no proxy there", "@proxy-refused", 7, "proxy", "No proxy answers at 127.0.0.1:", "HTTPS_PROXY"),
    Row("no such proxy", "@proxy-unknown", 7, "proxy", "proxy nowhere.invalid:3128 cannot be resolved", "HTTPS_PROXY"),
    Row("a proxy that wants to know us", "@proxy-407", 7, "proxy", "wants a user name", "USER:PASSWORD@"),
    Row("a proxy that refuses", "@proxy-403", 7, "proxy", "did not let us through to ollama.com: 403 Forbidden"),
    Row("a proxy that does not get there", "@proxy-502", 7, "proxy", "ollama.com: 502 Bad Gateway", "NO_PROXY"),
    Row("no proxy at all", "@proxy-ftp", 2, "usage", "A proxy setting cannot be used", "socks5://"),
]

NDJSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
PIECE = b'{"response":"What came","done":false}\n'


@contextmanager
def cloud(answer: bytes) -> Iterator[dict[str, str]]:
    """A cloud that answers these bytes to everything."""
    with asyncio_server(answering_bytes(answer)) as port:
        yield {"OLLAMA_CLOUD_BASE_URL": f"http://127.0.0.1:{port}"}


@contextmanager
def proxy(refusal: str) -> Iterator[dict[str, str]]:
    """A proxy that leads nowhere."""
    with asyncio_server(Proxy(0, refusal=refusal).handle) as port:
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{port}"}


def _damaged() -> bytes:
    """Two packed pieces and what cannot be unpacked, too much to be read at once."""
    long = json.dumps({"response": os.urandom(300_000).hex()}).encode()
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return packer.compress(PIECE + b"\n" + long + b"\n") + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 100


@contextmanager
def surroundings(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """What a row needs around the command, as variables of its environment."""
    kind, _, which = name.removeprefix("@").partition("-")
    refusals = {"407": "407 Proxy Authentication Required", "403": "403 Forbidden", "502": "502 Bad Gateway"}
    answers = {
        "not-http": b"SSH-2.0-OpenSSH_9.6\r\n",
        "short": NDJSON + b"Content-Length: 9999\r\n\r\n" + PIECE,
        "packed": NDJSON + b"Content-Encoding: gzip\r\n\r\n" + PIECE,
        "packed-later": NDJSON + b"Content-Encoding: gzip\r\n\r\n" + _damaged(),
    }
    fixed = {
        "unknown-name": {"OLLAMA_HOST": "http://nowhere.invalid"},
        "proxy-unknown": {"HTTPS_PROXY": "http://nowhere.invalid:3128"},
        "proxy-ftp": {"HTTPS_PROXY": "ftp://127.0.0.1:21"},
    }
    with ExitStack() as opened:
        if name[1:] in fixed:
            yield fixed[name[1:]]
        elif name[1:] in answers:
            yield opened.enter_context(cloud(answers[name[1:]]))
        elif name == "@refused":
            yield {"OLLAMA_CLOUD_BASE_URL": f"http://127.0.0.1:{opened.enter_context(closed_port())}"}
        elif name == "@proxy-refused":
            yield {"HTTPS_PROXY": f"http://127.0.0.1:{opened.enter_context(closed_port())}"}
        elif name == "@no-tls":
            port = opened.enter_context(asyncio_server(saying_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
            yield {"OLLAMA_CLOUD_BASE_URL": f"https://localhost:{port}"}
        elif name == "@tls-closed":
            port = opened.enter_context(asyncio_server(saying_bytes(b"")))
            yield {"OLLAMA_CLOUD_BASE_URL": f"https://localhost:{port}"}
        elif kind == "tls":
            yield opened.enter_context(badly_certified(folder, which))
        else:
            yield opened.enter_context(proxy(refusals[which]))


@contextmanager
def faulty(row: Row, folder: Path) -> Iterator[dict[str, str]]:
    """The fault of a row."""
    if row.fault.startswith("@"):
        with surroundings(row.fault, folder) as environment:
            yield {"OLLAMA_API_KEY": "key", **environment}
        return
    with EmbeddedSandbox(folder / "sandbox", faults=[f"POST /api/generate={row.fault}"], pace=0) as sandbox:
        yield {"OLLAMA_API_KEY": sandbox.make_api_key().reveal(), "OLLAMA_CLOUD_BASE_URL": sandbox.url}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_a_fault_is_told(tmp_path: Path, cli: Cli, row: Row) -> None:
    with faulty(row, tmp_path) as environment:
        done = cli("run", MODEL, "hi", "--json", env=environment)
    told = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (done.returncode, told["status"], told["code"]) == (row.status, row.status, row.code), told
    assert row.message in told["message"]
    assert row.hint in (told["hint"] or "")


@pytest.mark.parametrize(
    "fault", ["cut:4", "end:4", "error:4", "garbage:4", line("[]", 4), "@short"], ids=lambda fault: fault.split(":")[0]
)
def test_what_came_before_it_is_kept(tmp_path: Path, cli: Cli, fault: str) -> None:
    with faulty(Row("", fault, 8, "", ""), tmp_path) as environment:
        done = cli("run", "qwen3-coder:480b-cloud", "hi", env=environment)  # it says something without thinking
    assert done.returncode == 8
    assert done.stdout.strip()
    assert done.stdout.endswith("\n")
