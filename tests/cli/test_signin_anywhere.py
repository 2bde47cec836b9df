"""Signing in where there is no browser, or a strange one, a narrow terminal, or a name that means harm."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from support import Cli, Sandbox, until
from terminals import LINK, expect_link, finish, pexpect_child, printed, screen

from ollama_cli.credentials.public_key import encode_public_key

WIDTHS = [20, 40, 80]


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_link_stands_whole_on_a_line_of_its_own(device: Cli, sandbox: Sandbox, columns: int) -> None:
    child = pexpect_child(device, "--insecure-storage", "signin", "--no-browser", lines=60, columns=columns)
    child.expect("Waiting")
    lines = printed(child).split("\r\n")
    link = next(line for line in lines if LINK.fullmatch(line))
    assert link in "".join(screen(printed(child), 60, columns).display)
    assert sandbox.decide(link).status_code == 200
    assert finish(child)[0] == 0


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_link_of_a_refused_request_stands_whole_too(device: Cli, columns: int) -> None:
    child = pexpect_child(device, "--insecure-storage", "run", "gpt-oss:120b-cloud", "hi", lines=60, columns=columns)
    child.expect("now")
    child.sendline("n")
    assert finish(child)[0] == 4
    assert [line for line in printed(child).split("\r\n") if LINK.fullmatch(line)]


def test_without_waiting_a_script_gets_the_link_as_json(device: Cli) -> None:
    done = device("--insecure-storage", "signin", "--no-wait", "--json")
    assert done.returncode == 4
    told = json.loads(done.stdout)
    assert told["signed_in"] is False
    assert LINK.fullmatch(told["signin_url"])
    assert json.loads(done.stderr.splitlines()[-1])["error"]["signin_url"] == told["signin_url"]


# The QR code


def read_qr(modules: list[list[bool]]) -> str:
    """What a telephone reads from modules, each light (True) or dark."""
    scale = 4
    rows = [[255 * light for light in row for _ in range(scale)] for row in modules for _ in range(scale)]
    image = memoryview(bytes(pixel for row in rows for pixel in row)).cast("B", shape=[len(rows), len(rows[0])])
    (code,) = zxingcpp.read_barcodes(image)
    return code.text


def modules_of(lines: list[str]) -> list[list[bool]]:
    """Whether ink covers each half of each character."""
    upper, lower = "▀█", "▄█"
    return [[char in inked for char in line] for line in lines for inked in (upper, lower)]


def test_a_qr_code_at_a_terminal_is_black_on_white_whatever_its_colours(device: Cli) -> None:
    child = pexpect_child(device, "--insecure-storage", "signin", "--qr", "--no-wait", lines=60, columns=100)
    assert finish(child)[0] == 4
    shown = screen(printed(child), 60, 100)
    colored = [row for row in range(60) if shown.buffer[row][0].bg == "ffffff"]
    width = next(column for column in range(100) if shown.buffer[colored[0]][column].bg != "ffffff")
    assert {shown.buffer[row][column].fg for row in colored for column in range(width)} == {"000000"}
    ink = modules_of([shown.display[row][:width] for row in colored])
    link = LINK.search(printed(child))
    assert link is not None
    assert read_qr([[not inked for inked in row] for row in ink]) == link[0]


@pytest.mark.parametrize("options", [["--no-wait"], ["--no-wait", "--json"]], ids=" ".join)
def test_a_qr_code_in_a_pipe_is_drawn_on_stderr_without_colours(device: Cli, options: list[str]) -> None:
    done = device("--insecure-storage", "signin", "--qr", *options)
    assert done.returncode == 4
    link = LINK.search(done.stdout)
    assert link is not None
    assert "\x1b" not in done.stderr
    drawn = [line for line in done.stderr.splitlines() if "█" in line]
    assert read_qr(modules_of(drawn)) == link[0]
    assert not [char for char in "▀▄█" if char in done.stdout]


def test_a_qr_code_on_paper_without_colours_at_a_terminal(device: Cli) -> None:
    device.environment["NO_COLOR"] = "1"
    child = pexpect_child(device, "--insecure-storage", "signin", "--qr", "--no-wait", lines=60, columns=100)
    assert finish(child)[0] == 4
    assert "\x1b[" not in printed(child)
    drawn = [line for line in printed(child).split("\r\n") if "█" in line]
    assert LINK.search(printed(child))
    assert read_qr(modules_of(drawn)) in printed(child)


def test_a_terminal_too_narrow_for_a_qr_code_is_told_and_gets_the_link(device: Cli) -> None:
    child = pexpect_child(device, "--insecure-storage", "signin", "--qr", "--no-wait", columns=40)
    assert finish(child)[0] == 4
    assert "too narrow for the QR code" in printed(child)
    assert not [char for char in "▀▄█" if char in printed(child)]
    assert [line for line in printed(child).split("\r\n") if LINK.fullmatch(line)]


def test_a_terminal_too_low_for_a_qr_code_is_told_how_high_it_has_to_be(device: Cli) -> None:
    child = pexpect_child(device, "--insecure-storage", "signin", "--qr", "--no-wait", lines=24, columns=100)
    assert finish(child)[0] == 4
    told = re.search(r"make the terminal (\d+) lines high", printed(child))
    assert told is not None
    assert int(told[1]) == len([line for line in printed(child).split("\r\n") if "48;5;231" in line])


# The browser


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def wait_for(path: Path) -> str:
    """The text of a file that somebody is about to put there whole."""
    until(path.exists)
    return path.read_text()


SPOILS_THE_SCREEN = """
( echo NOISE >/dev/tty ) 2>/dev/null && tty=taken || tty=none
echo NOISE; echo NOISE >&2
read -r line && input=taken || input=none
printf '%s\\n' "$1" "$tty" "$input" "$$" "${OLLAMA_CLI_KEY-unset}" > {seen}.new && /bin/mv {seen}.new {seen}
exec /bin/sleep 600
"""


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("my-browser", {"BROWSER": "my-browser"}),
        ("xdg-open", {"DISPLAY": ":0"}),
        ("xdg-open", {"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}),
    ],
    ids=["BROWSER", "desktop", "ssh -X"],
)
def test_a_browser_can_neither_take_the_terminal_nor_hold_up_the_command(
    device: Cli, sandbox: Sandbox, tmp_path: Path, name: str, environment: dict[str, str]
) -> None:
    seen = tmp_path / "seen"
    program(tmp_path, name, SPOILS_THE_SCREEN.replace("{seen}", str(seen)))
    device.environment |= {"PATH": str(tmp_path), "OLLAMA_CLI_KEY": "", **environment}
    child = pexpect_child(device, "--insecure-storage", "signin")
    link = expect_link(child)
    opened, tty, keyboard, process, secret = wait_for(seen).split()
    try:
        assert (opened, tty, keyboard, secret) == (link, "none", "none", "unset")
        sandbox.decide(link)
        status, _ = finish(child)
        assert status == 0
        assert "Opening the link" in printed(child)
        assert "NOISE" not in printed(child)
        os.kill(int(process), 0)  # it is still there, and we did not wait for it
    finally:
        os.kill(int(process), signal.SIGKILL)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"BROWSER": "lynx"},
        {"BROWSER": "not-there"},
        {"BROWSER": "not-a-program"},
        {"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"},
    ],
    ids=["no display", "text browser", "not there", "cannot be started", "ssh"],
)
def test_where_no_browser_can_be_opened_the_link_is_enough(
    device: Cli, tmp_path: Path, environment: dict[str, str]
) -> None:
    seen = tmp_path / "seen"
    for name in ("lynx", "xdg-open", "x-www-browser", "www-browser"):
        program(tmp_path, name, f"echo opened > {seen}")
    (tmp_path / "not-a-program").write_bytes(b"\x7fELF")
    (tmp_path / "not-a-program").chmod(0o755)
    device.environment |= {"PATH": str(tmp_path), **environment}
    child = pexpect_child(device, "--insecure-storage", "signin")
    expect_link(child)
    child.expect("Open the link in a browser, on any device.")
    child.expect("Waiting")
    child.sendintr()
    assert finish(child)[0] == 130
    assert not seen.exists()


# Names


NAMES = {
    "another key": "pc&key=AAAA",
    "another name": "pc&name=x",
    "fragment": "pc#x",
    "equals and plus": "a=b+c;d",
    "newline": "pc\nhttps://evil.example/connect?key=x\n",
    "carriage return": "pc\rhttps://evil.example",
    "escape sequence": "\x1b]8;;https://evil.example\x07pc\x1b[2J",
    "c1": "pc\u009b2J",
    "direction": "pc\u202emoc.live",
    "spaces": "  my  laptop ",
    "percent": "%26key%3D",
    "unicode": "ноутбук 🙂",
    "surrogates": "caf\udce9",
}
SAFE = re.compile(r"[\w:/.?=&%~-]+", re.ASCII)


@pytest.mark.parametrize("source", ["--name", "host name"])
def test_no_name_adds_to_the_link(device: Cli, tmp_path: Path, source: str) -> None:
    for name in NAMES.values():
        (tmp_path / "sitecustomize.py").write_text(f"import socket\nsocket.gethostname = lambda: {name!r}\n")
        given, environment = ((), {"PYTHONPATH": str(tmp_path)}) if source == "host name" else (("--name", name), {})
        link = device("--insecure-storage", "signin", "--no-wait", *given, env=environment).stdout.removesuffix("\n")
        assert SAFE.fullmatch(link)
        (listed,) = json.loads((device.home / "state" / "data" / "credentials.json").read_text())["credentials"]
        assert parse_qs(urlsplit(link).query, keep_blank_values=True) == {
            "name": [name.encode(errors="replace").decode()],
            "key": [encode_public_key(listed["public_key"])],
        }


def test_a_name_without_end_is_a_mistake(device: Cli) -> None:
    done = device("--insecure-storage", "signin", "--no-wait", "--name", "x" * 10_000)
    assert done.returncode == 2
    assert "64" in done.stderr


def test_a_host_name_without_end_is_cut(device: Cli, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import socket\nsocket.gethostname = lambda: '&' * 10_000\n")
    link = device("--insecure-storage", "signin", "--no-wait", env={"PYTHONPATH": str(tmp_path)}).stdout
    assert link.partition("name=")[2].partition("&")[0] == "%26" * 64
