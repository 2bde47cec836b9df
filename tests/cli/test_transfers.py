"""``pull`` and ``push`` through a daemon: what is asked, what is shown on the way, and what comes of a refusal."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from routed_server import routed_server
from streaming_server import StreamingServer, streaming_server
from support import Cli
from terminals import finish, pexpect_child, printed, screen

from ollama_cli import DeviceKey, signin_url

pytestmark = pytest.mark.forked

DIGEST = "sha256:170370233dd5c5415250a2ecd5c71586352850729062ccef1496385647293868"
ADA: dict[str, Any] = {
    "method": "POST",
    "path": "/api/me",
    "json": {"id": "1", "name": "ada", "email": "a@b", "plan": "pro"},
}
HOSTILE = "\x1b]52;c;aGFjaw==\x07pulling\x1b[2J news\u202e\r\n"


def route(path: str, *events: Any, status: int = 200, **answer: Any) -> dict[str, Any]:
    content = {"ndjson": list(events)} if events else answer
    return {"method": "POST", "path": path, "status": status, **content}


def layer(completed: int, total: int = 1_000_000_000, **more: Any) -> dict[str, Any]:
    return {"status": "pulling 170370233dd5", "digest": DIGEST, "total": total, "completed": completed, **more}


STEPS = [{"status": "pulling manifest"}, layer(250_000_000), layer(1_000_000_000), {"status": "success"}]


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])["error"]
    return error


# What is printed


def test_a_pipe_gets_a_plain_line_a_step_on_stderr(cli: Cli) -> None:
    with routed_server([route("/api/pull", *STEPS)]) as server:
        done = cli("pull", "tiny", env={"OLLAMA_HOST": server.url})
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "pulling manifest\npulling 170370233dd5 (1 GB)\nsuccess\ntiny is pulled.\n"


def test_json_is_one_object_and_json_lines_are_the_steps_and_its_end(cli: Cli) -> None:
    with routed_server([route("/api/pull", *STEPS), ADA, route("/api/push", *STEPS)]) as server:
        environment = {"OLLAMA_HOST": server.url}
        pulled, pushed = (cli(command, "--json", "ada/tiny", env=environment) for command in ("pull", "push"))
        lines = cli("pull", "--json-lines", "ada/tiny", env=environment)
    layers = [{"digest": DIGEST, "size": 1_000_000_000}]
    assert (pulled.stderr, pushed.stderr, lines.stderr) == ("", "", "")
    assert json.loads(pulled.stdout) == {"model": "ada/tiny", "layers": layers}
    assert json.loads(pushed.stdout) == {"model": "ada/tiny", "url": "https://ollama.com/ada/tiny", "layers": layers}
    *steps, last = map(json.loads, lines.stdout.splitlines())
    assert steps == STEPS
    assert last == {"model": "ada/tiny", "layers": layers, "done": True}


@pytest.mark.parametrize("columns", [20, 45, 100])
def test_a_terminal_gets_bars_that_fit(cli: Cli, columns: int) -> None:
    steps = [
        {"status": "pulling manifest"},
        *(layer(size) for size in (0, 100_000_000, 200_000_000, 250_000_000)),
        {"status": "verifying"},
        {"status": "success"},
    ]
    with routed_server([{**route("/api/pull", *steps), "delay": 0.15}]) as server:
        child = pexpect_child(Cli(cli.home, {"OLLAMA_HOST": server.url}), "pull", "tiny", columns=columns)
        status, text = finish(child)
    assert status == 0
    shown = [line.rstrip() for line in screen(text, 24, columns).display if line.strip()]
    assert shown[:3] == ["pulling manifest", "verifying", "success"]
    assert shown[-1] == "tiny is pulled."
    (bar,) = shown[3:-1]
    assert bar.startswith("pulling 1703")
    if columns == 20:
        assert bar.endswith("25%")
    else:
        assert "250 MB/1 GB" in bar
    if columns == 100:
        assert re.search(r"\d MB/s +\d+s$", bar)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") > 0  # the cursor is there again


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {}], ids=["dumb", "redirected"])
def test_no_escape_sequence_reaches_a_dumb_terminal(cli: Cli, environment: dict[str, str]) -> None:
    with routed_server([route("/api/pull", *STEPS)]) as server:
        device = Cli(cli.home, {"OLLAMA_HOST": server.url, **environment})
        if environment:
            text = finish(pexpect_child(device, "pull", "tiny"))[1].replace("\r\n", "\n")
        else:
            text = device("pull", "tiny").stderr
    assert text == "pulling manifest\npulling 170370233dd5 (1 GB)\nsuccess\ntiny is pulled.\n"


def test_a_daemon_that_lies_cannot_harm_the_screen(cli: Cli) -> None:
    lies: list[dict[str, Any]] = [
        {"status": HOSTILE, "digest": HOSTILE, "total": 10**400, "completed": -1},
        layer(5, total=-3),
        layer(2**63 - 1, total=1),
        layer(0, total=2**63 - 1, status="\ud800" * 3),
        {"status": ["x"], "digest": {"a": 1}, "total": True, "completed": "many"},
        {"status": "x" * 100_000},
        *({"status": f"layer {n}", "digest": f"sha256:{n}", "total": 2, "completed": 1} for n in range(60)),
        {"status": "success"},
    ]
    with routed_server([route("/api/pull", *lies)]) as server:
        device = Cli(cli.home, {"OLLAMA_HOST": server.url})
        status, text = finish(pexpect_child(device, "pull", "tiny", columns=80))
        piped = device("pull", "tiny")
        whole = device("pull", "tiny", "--json")
    assert (status, piped.returncode, whole.returncode) == (0, 0, 0)
    for shown in (text, piped.stderr):
        assert "pulling news" in shown
        assert not re.search(r"\x1b\]|\x1b\[2J|\u202e", shown)
    assert max(map(len, piped.stderr.splitlines())) <= 500
    assert len(json.loads(whole.stdout)["layers"]) == 62
    assert screen(text, 24, 80).display[-1].strip() == ""


# What is asked


@pytest.mark.parametrize("command", ["pull", "push"])
@pytest.mark.parametrize("name", ["a b", "", "a/b/c/d", ".tiny", "tiny:"])
def test_what_is_no_name_is_refused_before_anything_is_asked(cli: Cli, command: str, name: str) -> None:
    with routed_server([]) as server:
        done = cli(command, "--json", name, env={"OLLAMA_HOST": server.url})
    assert (done.returncode, error_of(done)["code"], server.requests) == (2, "usage", [])


def test_two_kinds_of_json_are_refused(cli: Cli) -> None:
    done = cli("pull", "--json", "--json-lines", "tiny")
    assert (done.returncode, error_of(done)["message"]) == (2, "Use one of --json and --json-lines.")


@pytest.mark.parametrize("command", ["pull", "push"])
def test_without_a_daemon_it_says_how_to_start_one_or_do_without(cli: Cli, command: str) -> None:
    done = cli(command, "ada/tiny", env={"OLLAMA_HOST": "http://127.0.0.1:9"})
    assert done.returncode == 7
    assert done.stderr == (
        "Error: No Ollama server answers at http://127.0.0.1:9.\n"
        "  Start one with `ollama serve`, or do it without a server: --direct.\n"
    )


def test_without_a_daemon_a_cloud_model_needs_no_pull(cli: Cli) -> None:
    done = cli("pull", "--json", "gpt-oss:cloud", env={"OLLAMA_HOST": "http://127.0.0.1:9"})
    assert error_of(done)["code"] == "no_daemon"
    assert "`ollama-cli run gpt-oss:cloud --cloud`" in error_of(done)["hint"]


# What comes of a refusal


def test_a_model_that_is_missing_may_have_a_twin_in_the_cloud(cli: Cli) -> None:
    missing = route("/api/pull", {"error": "pull model manifest: file does not exist"})
    known = route("/api/show", json={"capabilities": ["completion"]})
    with routed_server([{**missing, "model": "big"}, known, route("/api/pull", *STEPS)]) as server:
        device = Cli(cli.home, {"OLLAMA_HOST": server.url})
        done = device("pull", "--json", "big")
        child = pexpect_child(device, "pull", "big")
        child.expect(r"Pull big:cloud instead, which runs in the cloud\?.*: ")
        child.sendline("y")
        status, shown = finish(child)
        for other in (["reg.example/a/big"], ["--insecure", "big"], ["big:local"]):
            assert "cloud" not in device("pull", *other).stderr
    assert (done.returncode, error_of(done)["code"]) == (3, "model_not_found")
    assert error_of(done)["hint"] == "There is a cloud model of that name: `ollama-cli pull big:cloud`"
    assert status == 0
    assert "big:cloud is pulled." in shown


NOT_ITS_OWN = "open /m/manifests/registry.ollama.ai/ada/x/latest: no such file or directory"
NO_ROOM = "write /m/blobs/sha256-ab-partial: no space left on device"


@pytest.mark.parametrize("inside", [True, False], ids=["in the stream", "before it"])
@pytest.mark.parametrize(("said", "status"), [(NO_ROOM, 7), ("429: you have reached your usage limit", 6)])
def test_an_error_ends_with_its_status(cli: Cli, said: str, status: int, inside: bool) -> None:
    before = route("/api/pull", status=500, json={"error": said})
    routes = [route("/api/pull", {"status": "pulling manifest"}, {"error": said}) if inside else before]
    with routed_server(routes) as server:
        done = cli("pull", "--json", "ada/x", env={"OLLAMA_HOST": server.url})
    assert (done.returncode, error_of(done)["status"], done.stdout) == (status, status, "")


LINK = signin_url("box", DeviceKey.generate().public_key)
OUT = {"method": "POST", "path": "/api/me", "status": 401, "json": {"error": "unauthorized", "signin_url": LINK}}
NOBODY = {"method": "POST", "path": "/api/me", "json": None}
UNKNOWN = {"method": "POST", "path": "/api/me", "status": 404, "text": "404 page not found"}
DENIED = "push access denied, repository does not exist or may require authorization"


@pytest.mark.parametrize(
    ("command", "name", "me", "said", "status", "shown"),
    [
        ("push", "ada/x", OUT, "", 4, "is not signed in"),
        ("push", "ada/x", NOBODY, "", 4, "is not signed in"),
        ("pull", "ada/x", OUT, "unauthorized: access denied", 4, "is not signed in"),
        ("push", "bob/x", ADA, DENIED, 5, "'ada', who may not push to 'bob'"),
        ("push", "x", ADA, "401: denied", 5, "x is in no account's namespace"),
        ("push", "ada/x", ADA, "403: verify your email first", 5, "verify your email first"),
        ("pull", "bob/x", ADA, "pull model manifest: 403: no", 5, "'ada' has no access to bob/x"),
        ("push", "bob/x", UNKNOWN, DENIED, 5, "push access denied"),
        ("push", "reg.example/bob/x", OUT, DENIED, 5, "registry at reg.example does not let"),
        ("push", "ada/x", ADA, NOT_ITS_OWN, 3, "no model 'ada/x'"),
    ],
)
def test_a_registrys_refusal_is_told_apart(
    cli: Cli, command: str, name: str, me: dict[str, Any], said: str, status: int, shown: str
) -> None:
    with routed_server([me, route(f"/api/{command}", {"status": "retrieving manifest"}, {"error": said})]) as server:
        done = cli(command, "--json", name, env={"OLLAMA_HOST": server.url})
    error = error_of(done)
    assert (done.returncode, error["status"]) == (status, status)
    assert shown in error["message"]
    assert error["signin_url"] == (LINK if me is OUT and status == 4 else None)
    if not said:
        assert [request["path"] for request in server.requests] == ["/api/me"]


def test_a_name_of_its_own_is_advised_only_where_it_is_one(cli: Cli) -> None:
    hints = []
    for account in ("ada", "; rm -rf ~"):
        me = {**ADA, "json": {"name": account, "email": "a@b"}}
        with routed_server([me, route("/api/push", {"error": DENIED})]) as server:
            hints.append(error_of(cli("push", "--json", "bob/x:1b", env={"OLLAMA_HOST": server.url}))["hint"])
    assert "`ollama-cli cp bob/x:1b ada/x:1b`, then `ollama-cli push ada/x:1b`" in hints[0]
    assert hints[1] is None


def test_a_page_is_told_only_where_there_is_one(cli: Cli) -> None:
    with routed_server([route("/api/push", {"status": "success"})]) as server:
        done = cli("push", "reg.example/bob/x:1b", env={"OLLAMA_HOST": server.url})
        told = cli("push", "--json", "reg.example/bob/x:1b", env={"OLLAMA_HOST": server.url})
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("reg.example/bob/x:1b is pushed to reg.example.\n")
    assert json.loads(told.stdout)["url"] is None


# What breaks off


@pytest.fixture
def server() -> Iterator[StreamingServer]:
    with streaming_server() as running:
        yield running


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "ended"])
def test_a_stream_that_is_cut_is_no_success(cli: Cli, cut: bool) -> None:
    with routed_server([{**route("/api/pull", *STEPS[:2]), "cut": cut}]) as server:
        done = cli("pull", "--json", "tiny", env={"OLLAMA_HOST": server.url})
    assert (done.returncode, error_of(done)["code"]) == (8, "answer_incomplete")


@pytest.mark.parametrize("at_a_terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "waiting"])
def test_ctrl_c_ends_at_once_and_the_daemon_sees_it(
    cli: Cli, server: StreamingServer, at_a_terminal: bool, begun: bool
) -> None:
    device = Cli(cli.home, {"OLLAMA_HOST": server.environment["OLLAMA_CLOUD_BASE_URL"]})
    if at_a_terminal:
        child = pexpect_child(device, "pull", "tiny", columns=80)
        with server.request() as request:
            if begun:
                request.start()
                request.say(**layer(250_000_000))
                child.expect("250 MB")
            child.sendintr()
            assert request.client_left()
            ended, shown = finish(child)
        assert ended == 130
        assert "Traceback" not in shown
        assert printed(child).count("\x1b[?25l") == printed(child).count("\x1b[?25h") == int(begun)
        return
    process = device.start("pull", "tiny")
    with server.request() as request:
        assert process.stderr is not None
        if begun:
            request.start()
            request.say(**layer(250_000_000))
            assert process.stderr.readline() == "pulling 170370233dd5 (1 GB)\n"
        process.send_signal(signal.SIGINT)
        assert request.client_left()
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 130


def test_a_reader_that_goes_away_ends_it(cli: Cli, server: StreamingServer) -> None:
    device = Cli(cli.home, {"OLLAMA_HOST": server.environment["OLLAMA_CLOUD_BASE_URL"]})
    process = device.start("pull", "--json-lines", "tiny")
    assert process.stdout is not None
    with server.request() as request:
        request.start()
        request.say(status="one")
        assert json.loads(process.stdout.readline()) == {"status": "one"}
        process.stdout.close()
        request.say(status="two")
        assert request.client_left()
    assert process.wait(30) == 141
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
