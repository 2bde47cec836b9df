"""What a person does at the sandbox's pages, in a real browser, while the command waits."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from stub_server import stub_server
from support import Cli, Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


@pytest.fixture
def person(chromium: Browser) -> Iterator[Callable[[bool], Page]]:
    """Opens a window of a browser that has never been used; a dialog, an error or a foreign request is a failure."""
    contexts = []
    wrong: list[str] = []

    def open_window(scripts: bool) -> Page:
        context = chromium.new_context(java_script_enabled=scripts)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if "Refused" in message.text else None)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert wrong == []


@contextmanager
def signing_in(device: Cli) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """A ``signin`` that waits: its link, the fingerprint that it shows, and its process."""
    process = device.start("--insecure-storage", "signin", "--name", "my laptop", "--timeout", "60")
    assert process.stdout is not None
    assert process.stderr is not None
    link = process.stdout.readline().strip()
    fingerprint = re.search(r"SHA256:\S+[\w+/]", process.stderr.readline())
    assert fingerprint is not None
    try:
        yield link, fingerprint[0], process
    finally:
        process.kill()
        process.communicate()


@SCRIPTS
def test_a_person_compares_the_fingerprint_and_approves(
    device: Cli, person: Callable[[bool], Page], scripts: bool
) -> None:
    page = person(scripts)
    with signing_in(device) as (link, fingerprint, process):
        page.goto(link)
        page.get_by_text("my laptop", exact=True).wait_for()
        page.get_by_text(fingerprint, exact=True).wait_for()
        page.get_by_role("button", name="Approve this device").click()
        page.get_by_role("heading", name="Device approved").wait_for()
        assert process.wait(timeout=30) == 0
    assert device("status", "--quiet").returncode == 0


@SCRIPTS
def test_a_person_denies_a_device_and_it_stays_out(device: Cli, person: Callable[[bool], Page], scripts: bool) -> None:
    page = person(scripts)
    page.goto(device("--insecure-storage", "signin", "--no-wait").stdout.strip())
    page.get_by_role("button", name="Deny").click()
    page.get_by_role("heading", name="Device turned away").wait_for()
    assert device("status", "--quiet").returncode == 4


@SCRIPTS
def test_a_person_takes_a_device_off_and_it_is_told(
    signed_in: Cli, sandbox: Sandbox, person: Callable[[bool], Page], scripts: bool
) -> None:
    fingerprint = json.loads(signed_in("status", "--json").stdout)["fingerprint"]
    page = person(scripts)
    page.goto(f"{sandbox.url}/settings/keys")
    page.get_by_role("listitem").filter(has_text=fingerprint).get_by_role("button", name="Remove").click()
    page.get_by_text("No device is on the account.").wait_for()
    refused = signed_in("status", "--json")
    assert refused.returncode == 4
    assert json.loads(refused.stderr)["error"]["code"] == "device_removed"


def test_a_person_who_was_sent_a_link_sees_what_it_would_do(
    device: Cli, sandbox: Sandbox, person: Callable[[bool], Page]
) -> None:
    page = person(False)
    link = device("--insecure-storage", "signin", "--no-wait", "--name", "ollama.com support").stdout.strip()
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(link)
    for told in (
        "this is a stand-in on this machine, and not ollama.com",
        "A device wants to use the account “sandbox”",
        "ollama.com support",
        "whoever holds this key can run models in the name of the account",
        "take devices off it",
        "Approve only a sign-in that you have started yourself",
        "the name can be chosen freely, the fingerprint cannot",
        "If somebody sent you this link, turn the device away",
    ):
        page.get_by_text(told).first.wait_for()
    warning = page.get_by_text("Approve only a sign-in").bounding_box()
    approve = page.get_by_role("button", name="Approve this device").bounding_box()
    assert warning is not None
    assert approve is not None
    assert warning["y"] < approve["y"]  # it is read before the button is reached
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Deny"  # a hasty Return approves nothing
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Device turned away").wait_for()
    assert device("status", "--quiet").returncode == 4


def test_a_name_that_looks_like_a_page_stays_a_name(device: Cli, person: Callable[[bool], Page]) -> None:
    name = '</dd></dl><form action="/x"><button>Approve'
    page = person(True)
    page.goto(device("--insecure-storage", "signin", "--no-wait", "--name", name).stdout.strip())
    page.get_by_text(name, exact=True).wait_for()
    assert page.get_by_role("button").count() == 2


# Forged forms


def hidden(page: Page) -> dict[str, str]:
    """The hidden fields of the form that a page shows."""
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.content())
    }


@pytest.mark.parametrize("token", ["wrong", "missing"])
def test_a_form_without_its_token_decides_nothing(device: Cli, person: Callable[[bool], Page], token: str) -> None:
    page = person(True)
    page.goto(device("--insecure-storage", "signin", "--no-wait").stdout.strip())
    change = "field.value = 'x'.repeat(43)" if token == "wrong" else "field.remove()"
    page.evaluate(f"() => {{ const field = document.querySelector('input[name=token]'); {change} }}")
    page.get_by_role("button", name="Approve this device").click()
    page.get_by_role("heading", name="This form is not valid").wait_for()
    assert device("status", "--quiet").returncode == 4


@pytest.mark.parametrize("target", ["/connect", "/settings/keys"])
def test_a_page_of_another_origin_cannot_decide_in_the_person_s_browser(
    signed_in: Cli, sandbox: Sandbox, person: Callable[[bool], Page], target: str
) -> None:
    """The worst case: the other page even knows a token that was shown to this very browser."""
    signed_in("signout")
    link = signed_in("--insecure-storage", "signin", "--no-wait").stdout.strip()
    page = person(True)
    page.goto(link if target == "/connect" else f"{sandbox.url}{target}")
    fields = hidden(page) | ({"action": "approve"} if target == "/connect" else {})
    if target != "/connect":
        fields |= {"action": "make-api-key", "name": "stolen"}
    inputs = "".join(f'<input name="{name}" value="{html.escape(value)}">' for name, value in fields.items())
    forged = f'<form method="post" action="{sandbox.url}{target}">{inputs}<button name="go">Win a prize</button></form>'
    with stub_server(lambda _: (200, {"Content-Type": "text/html"}, forged.encode())) as evil:
        page.goto(evil.url.replace("127.0.0.1", "localhost"))
        page.get_by_role("button", name="Win a prize").click()
        page.get_by_role("heading", name="This form is not valid").wait_for()
    assert signed_in("status", "--quiet").returncode == 4
    page.goto(f"{sandbox.url}/settings/keys")
    page.get_by_text("There is no API key.").wait_for()


def test_the_page_cannot_be_put_into_a_frame(device: Cli, chromium: Browser) -> None:
    link = device("--insecure-storage", "signin", "--no-wait").stdout.strip()
    frame = f'<iframe src="{html.escape(link)}"></iframe>'
    with (
        stub_server(lambda _: (200, {"Content-Type": "text/html"}, frame.encode())) as evil,
        chromium.new_context() as context,
    ):
        page = context.new_page()
        page.goto(evil.url)
        assert "Approve" not in page.frames[1].content()
