"""Signing in while the network, the server or the person goes away, and the link that a daemon names."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from support import COMMAND, Cli, Sandbox, until
from terminals import LINK, expect_link, finish, pexpect_child, printed

from ollama_cli import DeviceKey, signin_url

ME = "POST /api/me"
SIGNALS = {
    signal.SIGINT: 130,
    signal.SIGTERM: 128 + signal.SIGTERM,
    signal.SIGHUP: 128 + signal.SIGHUP,
    signal.SIGKILL: -signal.SIGKILL,
}


def until_asked(sandbox: Sandbox, times: int) -> None:
    """Wait until the account was asked for so many times."""
    until(lambda: len([sent for sent in sandbox.requests() if sent["target"].startswith("/api/me")]) >= times)


def keys_of(device: Cli) -> list[Path]:
    return list((device.home / "state" / "data" / "keys").iterdir())


# Ctrl-C and kill


def in_the_first_question(sandbox: Sandbox, link: str | None) -> None:
    until_asked(sandbox, 1)


def while_the_person_decides(sandbox: Sandbox, link: str | None) -> None:
    until_asked(sandbox, 2)


def while_the_approval_is_on_its_way(sandbox: Sandbox, link: str | None) -> None:
    assert link is not None
    until_asked(sandbox, 2)
    sandbox.decide(link)
    until_asked(sandbox, 3)


MOMENTS: dict[str, tuple[list[str], Callable[[Sandbox, str | None], None], int]] = {
    "before the first answer": ([f"{ME}=delay:600*1"], in_the_first_question, 4),
    "within the first answer": ([f"{ME}=stall:0*1"], in_the_first_question, 4),
    "while the person decides": ([], while_the_person_decides, 4),
    "while the network is lost": ([f"{ME}=status:401*1", f"{ME}=drop*1"], while_the_person_decides, 4),
    "while the approval is on its way": (
        [f"{ME}=status:401*2", f"{ME}=stall:0*1"],
        while_the_approval_is_on_its_way,
        0,
    ),
}


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        *((moment, number) for moment in MOMENTS for number in (signal.SIGINT, signal.SIGKILL)),
        *(("while the person decides", number) for number in (signal.SIGTERM, signal.SIGHUP)),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else value,
)
def test_signin_goes_on_where_it_was_cut_off(
    tmp_path: Path, start: Callable[..., Sandbox], moment: str, number: signal.Signals
) -> None:
    faults, reach, status = MOMENTS[moment]
    weather = start(*faults)
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": weather.url})
    cut = device.start("--insecure-storage", "signin", "--timeout", "60")
    assert cut.stdout is not None
    link = None if reach is in_the_first_question else cut.stdout.readline().strip()
    reach(weather, link)
    cut.send_signal(number)
    _, stderr = cut.communicate(timeout=20)
    assert cut.returncode == SIGNALS[number]
    assert "Traceback" not in stderr

    (stored,) = keys_of(device)
    encoded = DeviceKey.from_openssh(stored.read_text()).encoded
    again = device("--insecure-storage", "signin", "--no-wait")
    assert again.returncode == status
    if status == 4:
        assert link in (None, again.stdout.strip())
        assert again.stdout.strip().endswith(f"&key={encoded}")
    assert keys_of(device) == [stored]


def test_a_key_that_was_stored_and_not_yet_listed_is_taken_up(device: Cli) -> None:
    """What a kill between the two writes leaves."""
    link = device("--insecure-storage", "signin", "--no-wait").stdout
    (device.home / "state" / "data" / "credentials.json").unlink()
    assert device("--insecure-storage", "signin", "--no-wait").stdout == link


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_terminal_gets_its_cursor_back(device: Cli, number: signal.Signals) -> None:
    child = pexpect_child(device, "--insecure-storage", "signin")
    child.expect("Waiting for you")
    child.kill(number)
    status, shown = finish(child)
    assert status == 128 + number
    assert "\x1b[?25h" in shown
    assert "Traceback" not in shown


def test_nohup_goes_on_after_the_terminal_is_gone(device: Cli, sandbox: Sandbox) -> None:
    waiting = subprocess.Popen(
        ["nohup", COMMAND, "--insecure-storage", "signin", "--timeout", "50"],
        env=device.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stdout is not None
    link = waiting.stdout.readline().strip()
    waiting.send_signal(signal.SIGHUP)
    sandbox.decide(link)
    waiting.communicate(timeout=30)
    assert waiting.returncode == 0


# A lost network


LOST = {
    "dropped": ("drop", "broke off"),
    "server error": ("status:500", "500"),
    "overloaded": ("status:503", "503"),
    "limit": ("status:429", "limit"),
    "portal": ("body:html", "not what an Ollama server"),
    "redirect": ("redirect:http://127.0.0.1:9/", "redirect"),
    "proxy's page": ("status:403+body:html", "Something on the way"),
    "odd page": ("status:451+body:html", "451"),
}


@pytest.mark.parametrize("case", LOST)
def test_an_approval_in_a_lost_network_is_noticed_when_it_is_back(
    tmp_path: Path, start: Callable[..., Sandbox], case: str
) -> None:
    fault, told = LOST[case]
    weather = start(f"{ME}=status:401*2", f"{ME}={fault}*3")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": weather.url})
    waiting = device.start("--insecure-storage", "signin", "--timeout", "50")
    assert waiting.stdout is not None
    link = waiting.stdout.readline().strip()
    until_asked(weather, 4)  # the link, one poll, and now the network is away
    weather.decide(link)
    _, stderr = waiting.communicate(timeout=50)
    assert waiting.returncode == 0
    assert "cannot be asked just now" in stderr
    assert told in stderr
    assert "Signed in as sandbox." in stderr


def test_a_terminal_is_told_of_the_lost_network_where_it_waits(tmp_path: Path, start: Callable[..., Sandbox]) -> None:
    weather = start(f"{ME}=status:401*2", f"{ME}=drop*2")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": weather.url})
    child = pexpect_child(device, "--insecure-storage", "signin", "--no-browser")
    link = expect_link(child)
    child.expect("Waiting for you")
    child.expect("cannot be asked just now")
    child.expect("Waiting for you")
    weather.decide(link)
    assert finish(child)[0] == 0


def test_a_server_that_says_nothing_is_asked_again(tmp_path: Path, start: Callable[..., Sandbox]) -> None:
    silent = start(f"{ME}=status:401*1", f"{ME}=stall:0*1")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": silent.url})
    waiting = device.start("--insecure-storage", "signin", "--timeout", "50")
    assert waiting.stdout is not None
    silent.decide(waiting.stdout.readline().strip())
    _, stderr = waiting.communicate(timeout=50)
    assert waiting.returncode == 0
    assert "stopped answering" in stderr


def test_a_network_that_stays_away_is_no_refusal(tmp_path: Path, start: Callable[..., Sandbox]) -> None:
    gone = start(f"{ME}=status:401*1", f"{ME}=drop")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": gone.url})
    done = device("--insecure-storage", "signin", "--timeout", "0.5")
    assert done.returncode == 7
    assert "broke off" in done.stderr


def test_a_server_that_tells_of_a_denial_is_repeated(tmp_path: Path, start: Callable[..., Sandbox]) -> None:
    told = quote(json.dumps({"error": "this device was \x1b[31mdenied"}), safe="")
    denying = start(f"{ME}=status:401*1", f"{ME}=status:401+body:{told}")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": denying.url})
    done = device("--insecure-storage", "signin", "--timeout", "0.5")
    assert done.returncode == 4
    assert len(re.findall("The server says: this device was denied", done.stderr)) == 2  # at once, and at the end
    assert "\x1b" not in done.stderr


# A daemon's link


KEY = DeviceKey.generate()
GOOD = signin_url("their machine", KEY.public_key)


def daemon(start: Callable[..., Sandbox], tmp_path: Path, link: str) -> Cli:
    """A client of a daemon that names a link twice and then is signed in."""
    refusal = quote(json.dumps({"error": "unauthorized", "signin_url": link}), safe="")
    account = quote(json.dumps({"name": "bob"}), safe="")
    server = start(f"{ME}=status:401+body:{refusal}*2", f"{ME}=body:{account}")
    (tmp_path / "browser").write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/new\nmv {tmp_path}/new {tmp_path}/opened\n')
    (tmp_path / "browser").chmod(0o755)
    return Cli(tmp_path, {"OLLAMA_HOST": server.url, "BROWSER": str(tmp_path / "browser")})


@pytest.mark.parametrize("answer", ["y", "n", ""], ids=["yes", "no", "return"])
def test_a_daemon_s_link_is_shown_with_its_fingerprint_and_opened_only_on_a_yes(
    tmp_path: Path, start: Callable[..., Sandbox], answer: str
) -> None:
    child = pexpect_child(daemon(start, tmp_path, GOOD), "signin")
    child.expect(re.escape(KEY.fingerprint))
    child.expect("in the browser")
    child.sendline(answer)
    status, _ = finish(child)
    assert status == 0
    assert GOOD in printed(child).split("\r\n")
    assert "Signed in as bob." in printed(child)
    assert ("Opening the link" in printed(child)) == (answer == "y")
    if answer == "y":
        until((tmp_path / "opened").exists)
        assert (tmp_path / "opened").read_text().strip() == GOOD
    else:
        assert not (tmp_path / "opened").exists()


HOSTILE = {
    "http": GOOD.replace("https", "http"),
    "look-alike": GOOD.replace("ollama.com", "ollama.com.evil.example"),
    "port": GOOD.replace("ollama.com", "ollama.com:8443"),
    "user": GOOD.replace("ollama.com", "ollama.com@evil.example"),
    "path": GOOD.replace("/connect", "/evil"),
    "two keys": f"{GOOD}&key={DeviceKey.generate().encoded}",
    "no key": "https://ollama.com/connect?name=x",
    "escape sequence": GOOD.replace("name=", "name=\x1b[2J"),
    "another scheme": "file:///etc/passwd",
    "a second line": f"{GOOD}\nrm -rf /",
}


@pytest.mark.parametrize("link", HOSTILE.values(), ids=HOSTILE)
def test_a_daemon_s_link_that_is_none_to_ollama_com_is_not_shown(
    tmp_path: Path, start: Callable[..., Sandbox], link: str
) -> None:
    done = daemon(start, tmp_path, link)("signin", "--timeout", "5", "--qr")
    assert done.returncode == 4
    assert done.stdout == ""
    assert "names no link" in done.stderr
    assert "connect" not in done.stderr
    assert "█" not in done.stderr


def test_a_daemon_s_link_reaches_a_script_as_it_is(tmp_path: Path, start: Callable[..., Sandbox]) -> None:
    done = daemon(start, tmp_path, GOOD)("signin", "--no-wait", "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["signin_url"] == GOOD
    assert KEY.fingerprint in done.stderr
    assert LINK.search(done.stdout) is None
