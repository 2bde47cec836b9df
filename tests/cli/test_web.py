"""``search`` and ``fetch``: what is asked, what is printed, and that pages of strangers cannot drive a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stub_server import Answer, Received, StubServer, stub_server
from support import Cli
from terminals import finish, pexpect_child, printed, screen

pytestmark = pytest.mark.forked

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
HOSTILE = "\x1b]52;c;aGFjaw==\x07Good\x1b[2J news\u202e\x9b31m"
LONG = " ".join(f"word{number}" for number in range(400))
PAGE = {"title": "A title", "content": "# Heading\n\nA **bold** word.\n\n- one\n- two", "links": ["https://a.example/"]}


@contextmanager
def answering(content: object, status: int = 200) -> Iterator[tuple[StubServer, dict[str, str]]]:
    """A server in ollama.com's place, and what leads a command there."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    with stub_server(lambda _: (status, {}, body)) as server:
        yield server, {"OLLAMA_CLOUD_BASE_URL": server.url, "OLLAMA_API_KEY": "key"}


def results(count: int = 1, **fields: object) -> dict[str, object]:
    one = {"title": "A title", "url": "https://a.example/", "content": "What it says.", **fields}
    return {"results": [one] * count}


# What is printed


def test_a_search_prints_title_address_and_text_of_each_page(signed_in: Cli) -> None:
    done = signed_in("search", "blue", "sky", "--max-results=2")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.split("\n\n")
    assert first.splitlines()[:2] == ["Stand-in result 1 for blue sky", "https://example.com/blue%20sky/1"]
    assert len(second.splitlines()) == 3


def test_a_search_prints_json(signed_in: Cli) -> None:
    done = signed_in("search", "--json", "--max-results", "3", "sky")
    assert [sorted(result) for result in json.loads(done.stdout)["results"]] == [["content", "title", "url"]] * 3


@pytest.mark.parametrize("answer", [b'{"results":[]}', b'{"results":null}'], ids=["none", "null"])
def test_nothing_found_is_no_error(cli: Cli, answer: bytes) -> None:
    with answering(answer) as (_, environment):
        done = cli("search", "sky", env=environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "Nothing was found.\n")
        assert json.loads(cli("search", "sky", "--json", env=environment).stdout) == {"results": []}


def test_a_page_is_printed_with_its_title(signed_in: Cli) -> None:
    done = signed_in("fetch", "https://a.example/page")
    assert done.returncode == 0
    assert done.stdout.startswith("# Stand-in page of a.example\n\n# Stand-in page\n")
    assert "nobody loaded https://a.example/page" in done.stdout


def test_a_page_s_links_or_all_of_it_as_json(signed_in: Cli) -> None:
    links = ["https://a.example/", "https://a.example/about"]
    assert signed_in("fetch", "--links", "https://a.example/page").stdout.splitlines() == links
    page = json.loads(signed_in("fetch", "--json", "https://a.example/page").stdout)
    assert sorted(page) == ["content", "links", "title"]
    assert page["links"] == links


def test_a_title_that_the_text_begins_with_is_printed_once(cli: Cli) -> None:
    with answering(PAGE | {"title": "Heading"}) as (_, environment):
        assert cli("fetch", "a.example", env=environment).stdout == f"{PAGE['content']}\n"


def test_a_pipe_gets_all_of_a_text_and_a_terminal_its_beginning(cli: Cli) -> None:
    with answering(results(content=LONG)) as (_, environment):
        assert LONG in cli("search", "sky", env=environment).stdout
        child = pexpect_child(Cli(cli.home, environment), "search", "sky", columns=40)
        assert finish(child)[0] == 0
        shown = screen(printed(child), 24, 40).display
    assert [line.rstrip() for line in shown[:2]] == ["A title", "https://a.example/"]
    assert shown[2].startswith("word0 word1")
    assert max(len(line.rstrip()) for line in shown) <= 35
    assert len("".join(shown).split()) < 60
    assert "…" in "".join(shown)


def test_a_terminal_is_shown_a_page_laid_out_unless_that_is_not_wanted(cli: Cli) -> None:
    with answering(PAGE) as (_, environment):
        device = Cli(cli.home, environment)
        laid_out, plain = (
            pexpect_child(device, "fetch", "a.example"),
            pexpect_child(device, "fetch", "--plain", "a.example"),
        )
        assert (finish(laid_out)[0], finish(plain)[0]) == (0, 0)
        assert "**" not in "".join(screen(printed(laid_out), 24, 200).display)
        assert "A **bold** word." in "".join(screen(printed(plain), 24, 200).display)


@pytest.mark.parametrize(
    ("args", "answer"),
    [
        (("search", "sky"), results(title=HOSTILE, url=f"https://a.example/{HOSTILE}", content=HOSTILE)),
        (("fetch", "a.example"), {"title": HOSTILE, "content": HOSTILE}),
        (("fetch", "--plain", "a.example"), {"title": HOSTILE, "content": HOSTILE}),
        (("fetch", "--links", "a.example"), {"content": "", "links": [f"https://a.example/{HOSTILE}\nhttps://b"]}),
    ],
    ids=["search", "fetch", "fetch --plain", "fetch --links"],
)
def test_what_a_page_says_cannot_drive_a_terminal(cli: Cli, args: tuple[str, ...], answer: object) -> None:
    with answering(answer) as (_, environment):
        piped = cli(*args, env=environment)
        child = pexpect_child(Cli(cli.home, environment), *args)
        assert (piped.returncode, finish(child)[0]) == (0, 0)
    assert "Good news" in piped.stdout
    assert not CONTROLS.search(piped.stdout)
    assert "Good news" in "".join(screen(printed(child), 24, 200).display)
    for sequence in ("\x1b]", "\x1b[2J", "\x9b", "\u202e"):
        assert sequence not in printed(child)


def test_a_character_of_which_half_is_missing_is_replaced(cli: Cli) -> None:
    with answering(b'{"results":[{"title":"\\ud83d!","url":"u","content":"\\ud83d\\ude00"}]}') as (_, environment):
        assert cli("search", "sky", env=environment).stdout == "\ufffd!\nu\n\U0001f600\n"


# What is asked


def test_a_daemon_is_asked_where_it_has_the_web(cli: Cli) -> None:
    with stub_server(lambda _: (200, {}, json.dumps(results()).encode())) as daemon:
        done = cli("search", "sky", env={"OLLAMA_HOST": daemon.url, "OLLAMA_API_KEY": "key"})
    assert done.returncode == 0
    (request,) = daemon.received
    assert (request.method, request.target) == ("POST", "/api/experimental/web_search")
    assert "authorization" not in request.headers


@pytest.mark.parametrize("knows", [True, False], ids=["a stand-in for ollama.com", "an old daemon"])
def test_a_daemon_that_has_it_elsewhere_or_not_at_all(cli: Cli, knows: bool) -> None:
    def answer(request: Received) -> Answer:
        if knows and request.target == "/api/web_fetch":
            return 200, {}, json.dumps(PAGE).encode()
        return 404, {}, b"404 page not found"

    with stub_server(answer) as daemon:
        done = cli("fetch", "--json", "a.example", env={"OLLAMA_HOST": daemon.url})
    assert [request.target for request in daemon.received] == ["/api/experimental/web_fetch", "/api/web_fetch"]
    assert done.returncode == (0 if knows else 2)
    if not knows:
        assert "--cloud" in json.loads(done.stderr)["error"]["hint"]


def test_no_daemon_is_told_with_the_way_out(cli: Cli) -> None:
    done = cli("search", "sky", "--json", env={"OLLAMA_HOST": "http://127.0.0.1:9"})
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"]) == (7, "no_daemon")
    assert "--cloud" in error["hint"]


def test_without_an_account_a_search_signs_in_at_the_sandbox(cli: Cli) -> None:
    done = cli("--sandbox", "search", "--max-results=1", "sky")
    assert done.returncode == 0
    assert "Signed in as sandbox" in done.stderr
    assert done.stdout.startswith("Stand-in result 1 for sky\n")


# What goes wrong


@pytest.mark.parametrize(
    "args",
    [
        ("search",),
        ("search", " "),
        ("search", "sky", "--max-results", "0"),
        ("search", "sky", "--max-results", "11"),
        ("fetch", ""),
        ("fetch", "a.example", "--links", "--json"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_told_before_anything_is_asked(cli: Cli, args: tuple[str, ...]) -> None:
    with answering(results()) as (server, environment):
        assert cli(*args, env=environment).returncode == 2
    assert server.received == []


@pytest.mark.parametrize("command", [("search", "sky"), ("fetch", "a.example")], ids=["search", "fetch"])
@pytest.mark.parametrize(
    ("status", "content", "ended"),
    [
        (200, b"<html>Welcome to this hotel", (7, "answer_invalid")),
        (200, {}, (8, "answer_invalid")),
        (200, [], (8, "answer_invalid")),
        (200, {"results": ["no object"], "content": 1}, (8, "answer_invalid")),
        (200, {"results": [{"title": 1}], "content": "", "links": "none"}, (8, "answer_invalid")),
        (400, {"error": "no"}, (2, "bad_request")),
        (403, {"error": "this needs a subscription"}, (5, "forbidden")),
        (429, {"error": "you reached your weekly usage limit"}, (6, "limit_reached")),
        (500, {"error": "broken"}, (7, "server_error")),
        (307, b"", (7, "redirect")),
    ],
    ids=["a page", "empty", "a list", "wrong", "wrong within", "400", "403", "429", "500", "307"],
)
def test_an_answer_that_is_none_has_its_status(
    cli: Cli, command: tuple[str, ...], status: int, content: object, ended: tuple[int, str]
) -> None:
    with answering(content, status) as (server, environment):
        done = cli(*command, "--json", env=environment)
    error = json.loads(done.stderr)["error"]
    assert ((done.returncode, error["code"]), done.stdout) == (ended, "")
    assert len(server.received) == 1


def test_a_device_that_is_not_signed_in_is_told_its_link(device: Cli, tmp_path: Path) -> None:
    done = device("--insecure-storage", "search", "sky", "--json")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"]) == (4, "signin_required")
    assert error["signin_url"].startswith(f"{device.environment['OLLAMA_CLOUD_BASE_URL']}/connect?")
    assert list((tmp_path / "state" / "data" / "keys").iterdir())
