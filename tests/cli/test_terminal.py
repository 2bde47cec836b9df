"""From nothing to an answer at a terminal: a person who signs in, asks, signs out and asks again."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support import Cli, Sandbox, approve
from terminals import LINK, expect_link, finish, pexpect_child

from ollama_cli import DeviceKey

MODEL = "gpt-oss:120b-cloud"


def test_sign_in_run_sign_out_run(device: Cli, sandbox: Sandbox) -> None:
    child = pexpect_child(device, "--insecure-storage", "signin")
    old_link = expect_link(child)
    child.expect("Waiting for you")
    sandbox.decide(old_link)
    status, shown = finish(child)
    assert status == 0
    assert "Signed in as sandbox." in shown

    status, shown = finish(pexpect_child(device, "run", MODEL, "Why is the sky blue?"))
    assert status == 0
    assert "Rayleigh" in shown
    assert "\x1b[2m" in shown  # what the model thought is dimmed

    status, shown = finish(pexpect_child(device, "signout"))
    assert status == 0
    assert "off your account" in shown

    child = pexpect_child(device, "--insecure-storage", "run", MODEL, "hi")
    child.expect(re.compile(r"Sign in now\?.*: "))
    child.sendline("n")
    status, shown = finish(child)
    assert status == 4
    fresh = LINK.search(shown)
    assert fresh is not None
    assert fresh[0] != old_link


def test_run_offers_to_sign_in_and_goes_on_with_the_same_prompt(device: Cli, sandbox: Sandbox) -> None:
    child = pexpect_child(device, "--insecure-storage", "run", MODEL, "Why is the sky blue?")
    child.expect(re.compile(r"Sign in now\?.*: "))
    child.sendline("y")
    link = expect_link(child)
    child.expect("Waiting for you")
    sandbox.decide(link)
    status, shown = finish(child)
    assert status == 0
    assert "Rayleigh" in shown


def test_signin_opens_the_browser_with_the_link(device: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    seen = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}.new\nmv {seen}.new {seen}\n')
    browser.chmod(0o755)
    device.environment["BROWSER"] = str(browser)
    child = pexpect_child(device, "--insecure-storage", "signin")
    link = expect_link(child)
    child.expect("Waiting for you")
    sandbox.decide(link)
    assert finish(child)[0] == 0
    assert seen.read_text().strip() == link


def test_ctrl_c_while_waiting_leaves_the_same_link(device: Cli) -> None:
    child = pexpect_child(device, "--insecure-storage", "signin")
    link = expect_link(child)
    child.expect("Waiting for you")
    child.sendintr()
    status, shown = finish(child)
    assert status == 130
    assert "Traceback" not in shown
    assert device("signin", "--no-wait").stdout.strip() == link


def test_revoke_asks_at_a_terminal(signed_in: Cli) -> None:
    for as_json in ([], ["--json"]):
        child = pexpect_child(signed_in, "keys", "revoke", *as_json)
        child.expect(re.compile(r"Revoke SHA256:.*: "))
        child.sendline("n")
        status, shown = finish(child)
        assert status == 1
        said = shown.strip().splitlines()[-1]
        assert json.loads(said)["error"]["code"] == "declined" if as_json else said == "Nothing was revoked."
    assert signed_in("status", "--quiet").returncode == 0


def test_revoke_asks_once_for_all_keys_and_names_this_device(signed_in: Cli, sandbox: Sandbox) -> None:
    other = DeviceKey.generate()
    approve(sandbox, other)
    own = json.loads(signed_in("keys", "show", "--json").stdout)["fingerprint"]
    child = pexpect_child(signed_in, "keys", "revoke", own, other.encoded)
    child.expect_exact(other.fingerprint)
    child.expect_exact("(this device)")
    child.expect(re.compile(r"Revoke these 2 keys, and sign this device out\?.*: "))
    child.sendline("y")
    status, shown = finish(child)
    assert status == 0
    assert shown.count("revoked") == 2
    assert signed_in("status", "--quiet").returncode == 4


def test_revoke_of_another_device_does_not_speak_of_signing_out(signed_in: Cli, sandbox: Sandbox) -> None:
    other = DeviceKey.generate()
    approve(sandbox, other)
    child = pexpect_child(signed_in, "keys", "revoke", other.encoded)
    child.expect(re.compile(r"Revoke SHA256:[\w+/]+\? .*: "))
    child.sendline("y")
    assert finish(child)[0] == 0
    assert signed_in("status", "--quiet").returncode == 0
