"""A server that repeats the credential which it was sent does not get it printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from canaries import found
from stub_server import Answer, Received, stub_server
from support import Cli

from ollama_cli import DeviceKey, signin_url

pytestmark = pytest.mark.forked

CLOUD, LOCAL = "gpt-oss:120b-cloud", "tiny"
API_KEY = "an-api-key-that-no-server-gets-printed"
DAEMON_KEY = DeviceKey.generate().public_key


def as_json(**content: object) -> bytes:
    return json.dumps(content).encode()


def in_stream(said: str, **more: object) -> Answer:
    return 200, {}, as_json(response="Well, ", done=False) + b"\n" + as_json(error=said, **more) + b"\n"


ECHOES: dict[str, Callable[[str], Answer]] = {
    "JSON": lambda sent: (400, {}, as_json(error=f"bad {sent}")),
    "nested": lambda sent: (500, {}, as_json(error={"message": f"no such user {sent!r}"})),
    "plain text": lambda sent: (403, {}, f"Request: POST / Authorization: {sent}".encode()),
    "401": lambda sent: (401, {}, as_json(error=f"{sent} is not known")),
    "404": lambda sent: (404, {}, as_json(error=f"model {sent} not found")),
    "429": lambda sent: (429, {}, as_json(error=f"usage limit of {sent}")),
    "overloaded": lambda sent: (503, {"Retry-After": "0"}, as_json(error=f"overloaded (ref: {sent})")),
    "cut off": lambda sent: (400, {}, as_json(error="x" * 480 + sent)),
    "half of it": lambda sent: (400, {}, as_json(error=f"bad {sent[:-20]}")),
    "percent-encoded": lambda sent: (400, {}, as_json(error=f"bad {quote(sent, safe='')}")),
    "in pieces": lambda sent: (400, {}, as_json(error="\x1b[1m".join(sent))),
    "with invisible letters": lambda sent: (400, {}, as_json(error="\u200b\x07".join(sent))),
    "in lines": lambda sent: (400, {}, as_json(error="\n".join(sent[at : at + 9] for at in range(0, len(sent), 9)))),
    "an id": lambda sent: (500, {"X-Request-Id": sent}, b""),
    "a media type": lambda sent: (500, {"Content-Type": f"text/{sent}"}, b"x"),
    "a redirect": lambda sent: (307, {"Location": f"http://127.0.0.1/{quote(sent)}"}, b""),
    "every header": lambda sent: (500, dict.fromkeys(["Retry-After", "Date", "WWW-Authenticate", "Server"], sent), b""),
    "an error in a stream": lambda sent: in_stream(f"bad {sent}"),
    "an error with a status in a stream": lambda sent: in_stream(f"forbidden to {sent}", status_code=403),
    "a link": lambda sent: (401, {}, as_json(error="unauthorized", signin_url=signin_url(sent, DAEMON_KEY))),
    "another link": lambda sent: (401, {}, as_json(error="no", signin_url=f"https://ollama.com/?{sent}")),
}


def secret_of(authorization: str) -> str:
    """What is secret of a credential; the public key at the beginning of a signature is not."""
    return authorization.removeprefix("Bearer ").rpartition(":")[2]


@pytest.mark.parametrize("whole", [True, False], ids=["header", "secret"])
@pytest.mark.parametrize("echo", ECHOES)
def test_a_credential_that_a_server_repeats_is_not_printed(cli: Cli, tmp_path: Path, echo: str, whole: bool) -> None:
    def answer(request: Received) -> Answer:
        sent = request.headers["authorization"]
        return ECHOES[echo](sent if whole else secret_of(sent))

    (tmp_path / "key").write_text(DeviceKey.generate().to_openssh().reveal())
    with stub_server(answer) as server:
        cloud = {"OLLAMA_CLOUD_BASE_URL": server.url}
        runs = [
            cli("--debug", "run", CLOUD, "hi", env={**cloud, "OLLAMA_API_KEY": API_KEY}),
            cli("--key-file", str(tmp_path / "key"), "run", CLOUD, "hi", "--json", env=cloud),
            cli("--key-file", str(tmp_path / "key"), "run", LOCAL, "hi", env={"OLLAMA_HOST": server.url}),
        ]
    secrets = {
        received.headers["authorization"]: secret_of(received.headers["authorization"]).encode()
        for received in server.received
    }
    assert len(secrets) >= 3
    for done in runs:
        assert done.returncode not in {0, 1}
        assert not found(secrets, (done.stdout + done.stderr).encode())


@pytest.mark.parametrize(
    "args", [["signin", "--no-wait"], ["signout"], ["keys", "revoke", "--yes"]], ids=lambda a: a[0]
)
@pytest.mark.parametrize("echo", ["JSON", "401", "404", "in pieces", "an id", "a link"])
def test_a_signature_that_a_server_repeats_is_not_printed(cli: Cli, args: list[str], echo: str) -> None:
    with stub_server(lambda request: ECHOES[echo](request.headers["authorization"])) as server:
        cli.environment["OLLAMA_CLOUD_BASE_URL"] = server.url
        cli("--insecure-storage", "run", CLOUD, "hi")
        done = cli("--debug", "--insecure-storage", *args)
    sent = [received.headers["authorization"] for received in server.received]
    assert len(sent) > 1
    assert not found({token: secret_of(token).encode() for token in sent}, (done.stdout + done.stderr).encode())


@pytest.mark.parametrize("echo", ["nested", "401", "an error in a stream", "a denial in a stream"])
def test_a_daemon_that_repeats_our_signature_while_it_works_does_not_get_it_printed(
    cli: Cli, tmp_path: Path, echo: str
) -> None:
    def answer(request: Received) -> Answer:
        sent = request.headers["authorization"]
        denial = in_stream(f"unauthorized: access denied to {sent}")
        return denial if echo == "a denial in a stream" else ECHOES[echo](sent)

    (tmp_path / "key").write_text(DeviceKey.generate().to_openssh().reveal())
    with stub_server(answer) as server:
        environment = {"OLLAMA_HOST": server.url}
        key_file = ["--debug", "--key-file", str(tmp_path / "key")]
        runs = [
            cli(*key_file, command, *options, "reg.example/ada/tiny", env=environment)
            for command, options in (("pull", []), ("push", ["--json"]))
        ]
    secrets = {
        received.headers["authorization"]: secret_of(received.headers["authorization"]).encode()
        for received in server.received
    }
    assert secrets
    for done in runs:
        assert done.returncode not in {0, 1}
        assert not found(secrets, (done.stdout + done.stderr).encode())
