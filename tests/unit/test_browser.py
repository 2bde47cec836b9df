"""Which browser is started where."""

from __future__ import annotations

from pathlib import Path

import pytest

from ollama_cli.terminal.browser import browser_command

URL = "https://ollama.com/connect?name=a%20b&key=c3No"
LINUX, WSL = "6.1.0-28-amd64", "5.15.167.4-microsoft-standard-WSL2"
SSH = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
DISPLAY, WAYLAND = {"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "wayland-0"}
RUNDLL = ["rundll32.exe", "url.dll,FileProtocolHandler"]
EVERYTHING = ["xdg-open", "x-www-browser", "wslview", "rundll32.exe", "open", "firefox", "lynx", "w3m"]

CASES = {
    "desktop": ("linux", LINUX, DISPLAY, EVERYTHING, ["xdg-open"]),
    "wayland": ("linux", LINUX, WAYLAND, EVERYTHING, ["xdg-open"]),
    "desktop without xdg-utils": ("linux", LINUX, DISPLAY, ["x-www-browser"], ["x-www-browser"]),
    "desktop without a browser": ("linux", LINUX, DISPLAY, ["lynx", "w3m"], None),
    "no display": ("linux", LINUX, {}, EVERYTHING, None),
    "container": ("linux", LINUX, {"container": "podman"}, [], None),
    "ssh": ("linux", LINUX, SSH, EVERYTHING, None),
    "ssh into a desktop session": ("linux", LINUX, SSH | DISPLAY | WAYLAND, EVERYTHING, None),
    "ssh with a socket's display": ("linux", LINUX, SSH | {"DISPLAY": "unix:0"}, EVERYTHING, None),
    "ssh -X": ("linux", LINUX, SSH | {"DISPLAY": "localhost:10.0"}, EVERYTHING, ["xdg-open"]),
    "ssh with BROWSER": ("linux", LINUX, SSH | {"BROWSER": "firefox"}, EVERYTHING, ["firefox"]),
    "ssh after sudo": ("linux", LINUX, {"SSH_TTY": "/dev/pts/1"} | DISPLAY, EVERYTHING, None),
    "wsl": ("linux", WSL, {}, EVERYTHING, ["wslview"]),
    "wsl with a display": ("linux", WSL, DISPLAY, EVERYTHING, ["wslview"]),
    "wsl without wslu": ("linux", WSL, {}, ["rundll32.exe", "xdg-open"], RUNDLL),
    "wsl cut off from windows": ("linux", WSL, DISPLAY, ["xdg-open"], ["xdg-open"]),
    "container in wsl": ("linux", WSL, {}, [], None),
    "ssh into wsl": ("linux", WSL, SSH, EVERYTHING, None),
    "macos": ("darwin", "24.1.0", {}, EVERYTHING, ["open"]),
    "macos over ssh": ("darwin", "24.1.0", SSH | {"DISPLAY": "localhost:10.0"}, EVERYTHING, None),
    "windows": ("win32", "11", {}, EVERYTHING, RUNDLL),
    "BROWSER first": ("linux", LINUX, DISPLAY | {"BROWSER": "firefox"}, EVERYTHING, ["firefox"]),
    "BROWSER's second": ("linux", LINUX, {"BROWSER": "gone:firefox"}, EVERYTHING, ["firefox"]),
    "BROWSER is a text browser": ("linux", LINUX, DISPLAY | {"BROWSER": "lynx"}, EVERYTHING, None),
    "BROWSER's first is a text browser": ("linux", LINUX, {"BROWSER": "w3m:firefox"}, EVERYTHING, ["firefox"]),
    "BROWSER with arguments": ("linux", LINUX, {"BROWSER": "firefox -n"}, EVERYTHING, ["firefox", "-n"]),
    "BROWSER in the background": ("linux", LINUX, {"BROWSER": "firefox &"}, EVERYTHING, ["firefox"]),
    "BROWSER is nothing": ("linux", LINUX, DISPLAY | {"BROWSER": " "}, EVERYTHING, None),
    "BROWSER is not there": ("linux", LINUX, DISPLAY | {"BROWSER": "none"}, EVERYTHING, None),
    "BROWSER is badly quoted": ("linux", LINUX, {"BROWSER": "'firefox"}, EVERYTHING, None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_which_browser_opens_the_link(case: str) -> None:
    system, release, environ, installed, expected = CASES[case]
    command = browser_command(URL, environ, system, release, lambda name: name if name in installed else None)
    assert command == (None if expected is None else [*expected, URL])


@pytest.mark.parametrize(
    ("words", "arguments"), [("ff --url=%s", [f"--url={URL}"]), ("ff %s -n", [URL, "-n"]), ("ff '%s'", [URL])]
)
def test_browser_says_where_the_link_stands(words: str, arguments: list[str]) -> None:
    assert browser_command(URL, {"BROWSER": words}, "linux", LINUX, lambda name: name) == ["ff", *arguments]


@pytest.mark.parametrize("name", ["www-browser", "sensible"])
def test_a_link_to_a_text_browser_is_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "w3m").touch()
    (tmp_path / name).symlink_to("w3m")
    assert browser_command(URL, {"BROWSER": name}, "linux", LINUX, lambda name: str(tmp_path / name)) is None
