"""``keys rotate``: a new key, and the old one off the account once the new one works."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from chatting import leave, say
from in_process import fail, run_here, without_waits
from rotating import Rotating, json_error, link_of, rotating
from support import COMMAND, Cli, start_sandbox, wallet_of
from terminals import Terminal, expect_link, finish, pexpect_child, printed

from ollama_cli import DeviceKey
from ollama_cli.credentials.key_form import kept_form

MODEL = "gpt-oss:120b-cloud"
PAGE = "https://ollama.com/settings/keys"
ROTATE = ("keys", "rotate")


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Rotating]:
    with rotating(tmp_path) as begun:
        yield begun


# From the first step to the last


def test_a_script_rotates_in_two_steps_and_the_old_key_works_in_between(there: Rotating) -> None:
    device, old = there.device, there.old.fingerprint
    done = device(*ROTATE, "--no-wait")
    assert done.returncode == 4
    link = link_of(done.stdout.splitlines())
    assert done.stdout.strip() == link
    assert "The old key stays in use" in done.stderr
    assert "`ollama-cli keys rotate` goes on" in done.stderr

    status = json.loads(device("status", "--json").stdout)
    assert (status["fingerprint"], status["signed_in"], status["rotation"]) == (old, True, "new_key_waits")
    assert device("run", MODEL, "hi").returncode == 0
    listed = device("keys", "list").stdout.splitlines()[1:]
    assert [line.split("    ")[-1].strip() for line in listed] == ["yes", "not yet"]
    new = json.loads(device("keys", "list", "--json").stdout)[1]
    assert link.endswith(new["encoded"])
    assert (new["rotation"], new["this_device"]) == ("new", False)
    assert "not in use yet" in device("keys", "show", new["fingerprint"]).stdout

    assert device(*ROTATE, "--no-wait").stdout.strip() == link
    there.cloud.approve(new["public_key"], "device")
    done = device(*ROTATE)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"new key now: {new['fingerprint']}" in done.stderr
    assert f"The old key {old} is off your account, and forgotten." in done.stderr
    assert there.is_done(new["public_key"])
    status = json.loads(device("status", "--json").stdout)
    assert (status["fingerprint"], status["signed_in"], status["rotation"]) == (new["fingerprint"], True, None)
    assert device("run", MODEL, "hi").returncode == 0


def test_json_tells_of_each_state(there: Rotating) -> None:
    done = there.device(*ROTATE, "--no-wait", "--json")
    assert done.returncode == 4
    waiting = json.loads(done.stdout)
    assert json_error(done.stderr)["signin_url"] == waiting["signin_url"]
    new = there.begin()
    assert waiting == {
        "rotated": False,
        "rotation": "new_key_waits",
        "account": None,
        "new_fingerprint": new.fingerprint,
        "old_fingerprint": there.old.fingerprint,
        "old_key": None,
        "signin_url": waiting["signin_url"],
    }
    there.approve(new)
    assert json.loads(there.device(*ROTATE, "--json").stdout) == {
        "rotated": True,
        "rotation": None,
        "account": "sandbox",
        "new_fingerprint": new.fingerprint,
        "old_fingerprint": there.old.fingerprint,
        "old_key": "taken_off",
        "signin_url": None,
    }


def test_a_waiting_script_goes_on_when_the_new_key_is_approved(there: Rotating) -> None:
    waiting = there.device.start(*ROTATE, "--timeout", "50", "--name", "work laptop")
    assert waiting.stdout is not None
    assert "work%20laptop" in waiting.stdout.readline()
    new = there.begin()
    there.approve(new)
    waiting.communicate(timeout=50)
    assert waiting.returncode == 0
    assert there.is_done(new.public_key)


def test_a_second_rotation_follows_the_first(there: Rotating) -> None:
    for _ in range(2):
        new = there.begin()
        there.approve(new)
        assert there.device(*ROTATE).returncode == 0
        assert there.is_done(new.public_key)


def test_a_device_that_is_not_signed_in_makes_no_key(there: Rotating) -> None:
    there.accounts.remove(there.old.public_key)
    done = there.device(*ROTATE, "--json")
    assert (done.returncode, done.stdout) == (4, "")
    assert there.here == {there.old.public_key}
    elsewhere = Cli(there.device.home / "elsewhere", {"OLLAMA_CLOUD_BASE_URL": there.cloud.url})
    done = elsewhere(*ROTATE)
    assert done.returncode == 4
    assert "no key yet" in done.stderr


def test_the_sandbox_approves_it_by_itself(cli: Cli) -> None:
    cli("--sandbox", "signin")
    before = json.loads(cli("--sandbox", "keys", "show", "--json").stdout)["fingerprint"]
    done = cli("--sandbox", *ROTATE, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["rotated"], told["old_fingerprint"], told["old_key"]) == (True, before, "taken_off")
    status = json.loads(cli("--sandbox", "status", "--json").stdout)
    assert (status["fingerprint"], status["signed_in"]) == (told["new_fingerprint"], True)


def test_in_a_sandbox_that_runs_a_person_approves_it(cli: Cli) -> None:
    running, process = start_sandbox(cli.home)
    try:
        for command in (["signin"], ROTATE):
            done = cli("--sandbox", *command, "--no-wait")
            assert done.returncode == 4
            assert f"`ollama-cli --sandbox {' '.join(command)}`" in done.stderr
            running.decide(done.stdout.strip())
        told = cli("--sandbox", "signin").stderr
        assert "`ollama-cli --sandbox keys rotate` goes on" in told
        assert cli("--sandbox", *ROTATE).returncode == 0
    finally:
        process.terminate()
        process.communicate(timeout=10)


# Given up, or ended with everything else


@pytest.mark.parametrize("approved", [False, True], ids=["not approved", "approved"])
@pytest.mark.parametrize(
    ("command", "left"),
    [((*ROTATE, "--cancel"), True), (("signout",), False), (("keys", "revoke", "--yes"), False)],
    ids=["cancel", "signout", "revoke"],
)
def test_the_new_key_goes_with_the_command_that_ends_it(
    there: Rotating, command: tuple[str, ...], left: bool, approved: bool
) -> None:
    new = there.begin()
    if approved:
        there.approve(new)
    done = there.device(*command)
    assert done.returncode == 0, done.stderr
    assert new.fingerprint in done.stdout + done.stderr
    remaining = {there.old.public_key} if left else set()
    assert (there.on_account, there.here) == (remaining, remaining)
    assert [key for key, _ in there.listed()] == list(remaining)


def test_one_key_of_a_rotation_is_revoked_by_its_name(there: Rotating) -> None:
    new = there.begin()
    done = there.device("keys", "revoke", "--yes", "--json", new.fingerprint)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["revoked"], told["keys"][0]["outcome"], told["keys"][0]["forgotten"]) == (True, "not_signed_in", True)
    assert there.on_account == there.here == {there.old.public_key}


def test_cancelling_nothing_is_no_error(there: Rotating) -> None:
    done = there.device(*ROTATE, "--cancel", "--json")
    assert (done.returncode, json.loads(done.stdout)["cancelled"]) == (0, False)


@pytest.mark.parametrize("command", [("signout",), ("keys", "revoke", "--yes")], ids=["signout", "revoke"])
def test_nothing_goes_where_the_first_of_the_two_keys_cannot(tmp_path: Path, command: tuple[str, ...]) -> None:
    with rotating(tmp_path, "DELETE *=status:500") as there:
        there.approve(there.begin())
        before = there.on_account
        done = there.device(*command)
        assert done.returncode == 7
        assert there.on_account == there.here == before
        assert len(before) == 2


def test_forgetting_without_the_server_forgets_both_and_says_so(there: Rotating) -> None:
    there.begin()
    done = there.device("signout", "--local-only")
    assert "keys of its rotation are forgotten" in done.stderr
    assert there.here == set()


def test_a_new_key_whose_current_one_is_gone_is_forgotten_without_the_server_too(tmp_path: Path) -> None:
    with rotating(tmp_path, "*=status:500") as there:
        there.begin()
        wallet_of(there.device).forget(there.cloud.url, there.old.public_key)
        done = there.device("signout", "--local-only", "--json")
        assert (done.returncode, done.stdout) == (0, '{"signed_in": false, "outcome": "forgotten"}\n'), done.stderr
        assert there.here == set()
        assert there.listed() == []


def test_signin_tells_of_a_rotation(there: Rotating) -> None:
    there.begin()
    done = there.device("signin")
    assert done.returncode == 0
    assert "`ollama-cli keys rotate` goes on" in done.stderr


# The server fails after the new key has taken over

BROKEN = {
    "no answer": ("drop", "connection_lost"),
    "server error": ("status:500", "server_error"),
    "a portal's page": ("body:html", "answer_invalid"),
    "a portal's refusal": ("status:401+body:html", "answer_invalid"),
    "a proxy's missing page": ("status:404+body:html", "answer_invalid"),
    "a redirect": ("redirect:http://127.0.0.1:9/", "redirect"),
    "an error that looks like a success": ("status:200+body:%7B%22error%22:%22no%22%7D", "answer_invalid"),
    "a refusal of what is signed in": ("status:401", "unconfirmed"),
    "a clock that is far away": ("skew:200000", "clock_wrong"),
    "another clock in the refusal": ("status:401+header:Date:nonsense", "unconfirmed"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_old_key_that_cannot_be_taken_off_is_remembered(tmp_path: Path, case: str) -> None:
    fault, code = BROKEN[case]
    with rotating(tmp_path, f"DELETE *={fault}*4") as there:
        new = there.begin()
        there.approve(new)
        done = there.device(*ROTATE, "--json")
        error = json_error(done.stderr)
        assert done.returncode == (4 if code == "clock_wrong" else 7), error
        assert error["code"] == code
        assert f"The old key {there.old.fingerprint} is not gone yet." in error["message"]
        assert "`ollama-cli keys rotate`" in error["hint"]
        told = json.loads(done.stdout)
        assert (told["rotated"], told["rotation"], told["new_fingerprint"], told["old_fingerprint"]) == (
            False,
            "old_key_remains",
            new.fingerprint,
            there.old.fingerprint,
        )
        assert there.on_account == there.here == {new.public_key, there.old.public_key}
        assert there.has_a_working_key()
        assert set(there.listed()) == {(new.public_key, "current"), (there.old.public_key, "old")}
        for _ in range(4):  # until the faults are used up
            if there.device(*ROTATE).returncode == 0:
                break
        assert there.is_done(new.public_key)


def test_every_command_knows_of_an_old_key_that_remains(tmp_path: Path) -> None:
    with rotating(tmp_path, "DELETE *=body:html*1") as there:
        new = there.begin()
        there.approve(new)
        assert there.device(*ROTATE).returncode == 7
        status = json.loads(there.device("status", "--json").stdout)
        assert (status["fingerprint"], status["rotation"]) == (new.fingerprint, "old_key_remains")
        assert "no longer" in there.device("keys", "list").stdout
        assert "done but for the old key" in there.device("status").stdout
        assert there.device(*ROTATE, "--cancel").returncode == 2
        assert there.device("signout").returncode == 0
        assert there.on_account == there.here == set()


# At a terminal


def test_a_person_approves_it_while_the_terminal_waits(there: Rotating) -> None:
    child = pexpect_child(there.device, *ROTATE, "--no-browser")
    link = expect_link(child)
    child.expect("Waiting for you to approve the new key")
    new = there.begin()
    assert link.endswith(new.encoded)
    there.approve(new)
    status, _ = finish(child)
    assert status == 0
    assert new.fingerprint in printed(child)
    assert there.is_done(new.public_key)


def test_a_chat_goes_on_with_the_new_key(there: Rotating) -> None:
    chat = Terminal(there.device, "run", MODEL)
    say(chat, "Why is the sky blue?")
    chat.until_text("Rayleigh")
    there.approve(there.begin())
    assert there.device(*ROTATE).returncode == 0
    say(chat, "/clear")
    say(chat, "Why is the sky blue?")
    chat.until_text("going on with the new one")
    assert leave(chat) == 0
    assert chat.text.count("Rayleigh") == 2


# Another account than the old key's

ELSEWHERE = quote(json.dumps({"name": "bob"}), safe="")


@pytest.fixture
def switched(tmp_path: Path) -> Iterator[Rotating]:
    """A rotation whose new key is approved, by another account in the next answer."""
    with rotating(tmp_path, f"POST /api/me=body:{ELSEWHERE}*1") as there:
        there.approve(there.begin())
        yield there


def test_a_script_does_not_go_over_to_another_account(switched: Rotating) -> None:
    done = switched.device(*ROTATE, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    error = json_error(done.stderr)
    assert error["code"] == "account_changed"
    assert "approved by the account bob, and this device is on sandbox" in error["message"]
    assert "--other-account" in error["hint"]
    assert "--cancel" in error["hint"]
    assert switched.old.public_key in switched.on_account
    assert switched.has_a_working_key()
    assert switched.device(*ROTATE, "--cancel").returncode == 0
    assert switched.on_account == switched.here == {switched.old.public_key}


def test_another_account_is_noticed_where_the_list_was_lost(there: Rotating) -> None:
    there.approve(there.begin())
    there.index.unlink()
    assert run_here(there.device.environment, "--insecure-storage", "signin").status == 0
    fail(there.cloud, f"POST /api/me=body:{ELSEWHERE}*1")
    done = run_here(there.device.environment, *ROTATE, "--json")
    assert (done.status, json_error(done.said)["code"]) == (1, "account_changed")
    assert there.has_a_working_key()
    assert run_here(there.device.environment, *ROTATE).status == 0  # by its own account
    assert there.is_done()


def test_an_old_key_that_cannot_be_deleted_is_remembered(there: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    there.approve(there.begin())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse_to_unlink)
        done = run_here(there.device.environment, *ROTATE, "--json")
    assert done.status == 9
    assert "is not gone yet. It is off your account, but still kept here." in json_error(done.said)["message"]
    assert there.old.public_key in there.here
    assert there.old.public_key not in there.on_account
    done = run_here(there.device.environment, *ROTATE, "--json")
    assert (done.status, json.loads(done.out)["old_key"]) == (0, "not_signed_in")
    assert there.is_done()


def refuse_to_unlink(path: Path, missing_ok: bool = False) -> None:
    if not path.name.startswith("."):
        raise PermissionError(errno.EACCES, "Permission denied")
    os.unlink(path)  # noqa: PTH108 - what is replaced here


def test_a_script_goes_over_when_it_says_so(switched: Rotating) -> None:
    done = switched.device(*ROTATE, "--other-account", "--json")
    assert (done.returncode, json.loads(done.stdout)["account"]) == (0, "bob")
    assert switched.is_done()


@pytest.mark.parametrize("answer", ["y", "n"], ids=["yes", "no"])
def test_a_person_is_asked_about_another_account(switched: Rotating, answer: str) -> None:
    child = pexpect_child(switched.device, *ROTATE)
    child.expect("Go over to bob")
    child.sendline(answer)
    status, _ = finish(child)
    if answer == "y":
        assert status == 0
        assert switched.is_done()
    else:
        assert status == 1
        assert "Nothing was rotated." in printed(child)
        assert switched.on_account == switched.here == {switched.old.public_key}


# A key that is the installed Ollama's too


@pytest.fixture
def shared(there: Rotating) -> Rotating:
    content = json.loads(there.index.read_text())
    content["credentials"][0]["shared_with"] = "ollama"
    there.index.write_text(json.dumps(content))
    return there


def test_a_script_says_what_becomes_of_ollama_s_key(shared: Rotating) -> None:
    done = shared.device(*ROTATE, "--json")
    assert done.returncode == 2
    hint = json_error(done.stderr)["hint"]
    assert "--leave-ollama" in hint
    assert "--sign-out-ollama" in hint
    assert shared.here == {shared.old.public_key}


@pytest.mark.parametrize("leave", [True, False], ids=["leave", "sign out"])
def test_ollama_s_key_is_left_to_it_or_taken_off(shared: Rotating, leave: bool) -> None:
    new = shared.begin()
    shared.approve(new)
    done = shared.device(*ROTATE, "--leave-ollama" if leave else "--sign-out-ollama", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["old_key"] == ("left" if leave else "taken_off")
    assert shared.here == {new.public_key}
    assert shared.on_account == ({new.public_key, shared.old.public_key} if leave else {new.public_key})


@pytest.mark.parametrize("answer", ["y", ""], ids=["yes", "return"])
def test_a_person_is_asked_about_ollama(shared: Rotating, answer: str) -> None:
    new = shared.begin()
    shared.approve(new)
    child = pexpect_child(shared.device, *ROTATE)
    child.expect("two are two")
    child.expect("sign Ollama out")
    child.sendline(answer)
    assert finish(child)[0] == 0
    assert shared.here == {new.public_key}
    assert (shared.old.public_key in shared.on_account) == (answer == "")


def test_what_was_said_about_ollama_outlasts_a_failure(tmp_path: Path) -> None:
    with rotating(tmp_path, "DELETE *=status:500*1") as there:
        content = json.loads(there.index.read_text())
        content["credentials"][0]["shared_with"] = "ollama"
        there.index.write_text(json.dumps(content))
        there.approve(there.begin())
        assert there.device(*ROTATE, "--sign-out-ollama").returncode == 7
        done = there.device(*ROTATE, "--leave-ollama", "--json")  # thought better of
        assert json.loads(done.stdout)["old_key"] == "left"
        assert there.old.public_key in there.on_account
        assert there.old.public_key not in there.here


def test_ollama_is_no_question_where_the_key_is_ours_alone(there: Rotating) -> None:
    done = there.device(*ROTATE, "--leave-ollama", "--no-wait")
    assert done.returncode == 2
    assert there.here == {there.old.public_key}


# Passphrases

PASSPHRASE, NEXT = "correct horse", "battery staple"


@pytest.fixture
def encrypted(there: Rotating) -> Rotating:
    """A device whose stored key has a passphrase."""
    (path,) = there.files
    path.write_text(kept_form(there.old, there.old.to_openssh(PASSPHRASE)).reveal())
    return there


def test_a_key_with_a_passphrase_is_followed_by_one_with_a_passphrase(encrypted: Rotating) -> None:
    child = pexpect_child(encrypted.device, *ROTATE, "--no-browser")
    for question, answer in [("Passphrase for", PASSPHRASE), ("New passphrase", NEXT), ("again", NEXT)]:
        child.expect(question)
        child.sendline(answer)
    link = expect_link(child)
    child.expect("Waiting for you")
    (new,) = [path for path in encrypted.files if "%232" in path.name]
    key = DeviceKey.from_openssh(new.read_text(), NEXT)
    assert link.endswith(key.encoded)
    encrypted.approve(key)
    assert finish(child)[0] == 0
    assert encrypted.on_account == {key.public_key}
    assert encrypted.files == [new]
    done = encrypted.device("status", "--json")  # no terminal, no passphrase
    assert (done.returncode, json_error(done.stderr)["code"]) == (9, "stored_key_unusable")


def test_the_passphrases_of_the_two_keys_are_told_apart(encrypted: Rotating) -> None:
    new = encrypted.begin_encrypted(NEXT)
    encrypted.approve(new)
    child = pexpect_child(encrypted.device, *ROTATE)
    child.expect("Passphrase for the new key in ")
    child.sendline(NEXT)
    child.expect("Passphrase for the old key in ")
    child.sendline(PASSPHRASE)
    assert finish(child)[0] == 0
    assert encrypted.on_account == {new.public_key}


def test_a_passphrase_needs_a_terminal(there: Rotating, encrypted: Rotating) -> None:
    done = encrypted.device(*ROTATE, "--json")
    assert (done.returncode, json_error(done.stderr)["code"]) == (9, "stored_key_unusable")
    (path,) = there.files
    path.write_text(there.old.to_openssh().reveal())
    done = there.device(*ROTATE, "--passphrase")
    assert done.returncode == 2
    assert "--no-passphrase" in done.stderr
    assert there.here == {there.old.public_key}


@pytest.mark.parametrize("given_up", [True, False], ids=["not typed", "not wanted"])
def test_no_passphrase_is_a_decision(encrypted: Rotating, given_up: bool) -> None:
    child = pexpect_child(encrypted.device, *ROTATE, *([] if given_up else ["--no-passphrase", "--no-wait"]))
    child.expect("Passphrase for")
    child.sendline(PASSPHRASE)
    if given_up:
        child.expect("New passphrase")
        child.sendline("")
    assert finish(child)[0] == (2 if given_up else 4)
    assert len(encrypted.files) == (1 if given_up else 2)
    if not given_up:
        (new,) = [path for path in encrypted.files if "%232" in path.name]
        DeviceKey.from_openssh(new.read_text())


# Keys that their store has lost


@pytest.mark.parametrize("approved", [True, False], ids=["approved", "not approved"])
def test_a_new_key_that_was_lost_is_taken_off_and_made_anew(there: Rotating, approved: bool) -> None:
    lost = there.begin()
    if approved:
        there.approve(lost)
    (path,) = [path for path in there.files if "%232" in path.name]
    path.unlink()
    fail(there.cloud, "DELETE *=status:500*1")
    assert run_here(there.device.environment, *ROTATE, "--no-wait").status == 7
    assert lost.public_key in [key for key, _ in there.listed()]  # until the server has said something
    done = run_here(there.device.environment, *ROTATE, "--no-wait")
    assert done.status == 4
    state = "is off your account" if approved else "was on no account"
    assert f"new key {lost.fingerprint} {state}" in done.said
    assert there.on_account == {there.old.public_key}
    assert there.begin().public_key != lost.public_key


def test_an_old_key_that_was_lost_is_taken_off_by_the_new_one(tmp_path: Path) -> None:
    with rotating(tmp_path, "DELETE *=status:500*1") as there:
        new = there.begin()
        there.approve(new)
        assert there.device(*ROTATE).returncode == 7
        (path,) = [path for path in there.files if "%232" not in path.name]
        path.unlink()
        done = there.device(*ROTATE, "--json")
        assert (done.returncode, json.loads(done.stdout)["old_key"]) == (0, "taken_off")
        assert there.is_done(new.public_key)


@pytest.mark.parametrize("command", [ROTATE, (*ROTATE, "--cancel"), ("signout",), ("keys", "revoke", "--yes")])
def test_a_lost_key_that_cannot_be_taken_off_is_told_of(there: Rotating, command: tuple[str, ...]) -> None:
    lost = there.begin()
    there.approve(lost)
    (path,) = [path for path in there.files if "%232" in path.name]
    path.unlink()
    fail(there.cloud, "DELETE *=status:403*1")
    done = run_here(there.device.environment, *command, "--json")
    assert done.status == {ROTATE: 4, ("keys", "revoke", "--yes"): 9}.get(command, 0), done.said
    assert "could not be taken off" in done.said
    assert PAGE in done.said
    assert lost.public_key not in [key for key, _ in there.listed()]
    if command[-1] == "--yes":  # then nothing else was tried
        assert there.old.public_key in there.on_account
        assert run_here(there.device.environment, *command).status == 0


def test_a_current_key_that_was_lost_is_not_rotated(there: Rotating) -> None:
    (path,) = there.files
    path.unlink()
    done = run_here(there.device.environment, *ROTATE, "--json")
    assert (done.status, json_error(done.said)["code"]) == (9, "stored_key_unusable")


def test_keys_whose_list_was_lost_are_both_taken_up(there: Rotating) -> None:
    new = there.begin()
    there.approve(new)
    there.index.unlink()
    done = there.device("--insecure-storage", "signin")
    assert done.returncode == 0
    assert set(there.listed()) == {(there.old.public_key, "current"), (new.public_key, "new")}
    assert there.device(*ROTATE).returncode == 0
    assert there.is_done(new.public_key)


def test_a_rotated_key_whose_list_was_lost_is_taken_up(there: Rotating) -> None:
    new = there.begin()
    there.approve(new)
    assert there.device(*ROTATE).returncode == 0
    there.index.unlink()
    done = there.device("keys", "import", "-", stdin=DeviceKey.generate().to_openssh().reveal())
    assert done.returncode == 9  # nothing is overwritten, or put beside it
    assert there.device("--insecure-storage", "signin").returncode == 0
    assert there.listed() == [(new.public_key, "current")]


# Two terminals


def lines_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_two_rotations_at_once_end_with_one_key(there: Rotating) -> None:
    both = [there.device.start(*ROTATE, "--timeout", "50") for _ in range(2)]
    assert len({lines_of(process) for process in both}) == 1  # the same link
    new = there.begin()
    there.approve(new)
    for process in both:
        _, err = process.communicate(timeout=50)
        assert process.returncode == 0, err
        assert new.fingerprint in err
    assert there.is_done(new.public_key)


@pytest.mark.parametrize("command", [("signout",), (*ROTATE, "--cancel")], ids=["signout", "cancel"])
def test_a_rotation_that_another_terminal_ends_says_so(there: Rotating, command: tuple[str, ...]) -> None:
    waiting = there.device.start(*ROTATE, "--timeout", "50", "--json")
    assert waiting.stderr is not None
    for line in waiting.stderr:
        if "Waiting" in line:
            break
    new = there.begin()
    assert there.device(*command).returncode == 0
    _, err = waiting.communicate(timeout=50)
    assert waiting.returncode == 4
    assert json_error(err)["code"] == "key_forgotten"
    assert new.public_key not in there.here


def test_an_answer_on_its_way_is_not_cut_off(tmp_path: Path) -> None:
    with rotating(tmp_path, pace=0.05) as there:
        answering = there.device.start("run", MODEL, "Why is the sky blue?")
        assert answering.stdout is not None
        first = answering.stdout.read(1)
        assert first
        there.approve(there.begin())
        assert there.device(*ROTATE).returncode == 0
        assert there.is_done()
        out, err = answering.communicate(timeout=50)
        assert answering.returncode == 0, err
        assert "Rayleigh" in first + out


# The store


def test_a_disk_that_is_full_leaves_the_old_key_alone(there: Rotating) -> None:
    limited = f'ulimit -f 0; exec "$0" {" ".join(ROTATE)}'
    done = subprocess.run(
        ["bash", "-c", limited, COMMAND],
        env=there.device.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 9, done.stderr
    assert "cannot be written" in done.stderr
    assert there.on_account == there.here == {there.old.public_key}
    assert there.device("status", "--quiet").returncode == 0


# The server fails before anything is made


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("drop", "connection_lost"),
        ("status:500", "server_error"),
        ("body:html", "answer_invalid"),
        ("skew:200000", "clock_wrong"),
        ("redirect:http://127.0.0.1:9/", "redirect"),
    ],
)
def test_no_key_is_made_where_the_server_cannot_be_asked(
    there: Rotating, monkeypatch: pytest.MonkeyPatch, fault: str, code: str
) -> None:
    without_waits(monkeypatch)
    fail(there.cloud, f"POST /api/me={fault}")
    done = run_here(there.device.environment, *ROTATE, "--json")
    assert (done.status, done.out) == (4 if code == "clock_wrong" else 7, "")
    assert json_error(done.said)["code"] == code
    assert there.here == there.on_account == {there.old.public_key}


@pytest.mark.parametrize("fault", ["drop", "status:500", "body:html", "status:401+body:html", "redirect:http://x/"])
def test_a_server_that_fails_when_the_new_key_is_proved_costs_no_key(
    there: Rotating, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    without_waits(monkeypatch)
    there.approve(there.begin())
    before = there.on_account
    fail(there.cloud, f"POST /api/me={fault}")
    done = run_here(there.device.environment, *ROTATE, "--no-wait", "--json")
    assert done.status in {4, 7}
    assert there.here == there.on_account == before
    assert there.has_a_working_key()
    fail(there.cloud)
    assert run_here(there.device.environment, *ROTATE).status == 0
    assert there.is_done()


def test_a_person_who_denies_the_new_key_keeps_the_old_one(there: Rotating) -> None:
    new = there.begin()
    there.accounts.deny(new.public_key, "device", 0)
    done = there.device(*ROTATE, "--timeout", "0.1", "--json")
    assert (done.returncode, json_error(done.stderr)["code"]) == (4, "signin_timeout")
    assert "the new key" in json_error(done.stderr)["message"]
    assert there.on_account == {there.old.public_key}
    assert there.device("status", "--quiet").returncode == 0


def test_ctrl_c_while_a_person_decides_loses_nothing(there: Rotating) -> None:
    child = pexpect_child(there.device, *ROTATE, "--no-browser")
    link = expect_link(child)
    child.expect("Waiting for you")
    child.sendintr()
    status, shown = finish(child)
    assert status == 130
    assert "Traceback" not in shown
    assert there.device(*ROTATE, "--no-wait").stdout.strip() == link


def test_what_cannot_be_meant_is_refused(there: Rotating) -> None:
    done = run_here(there.device.environment, "--key-file", str(there.files[0]), *ROTATE)
    assert done.status == 2
    done = run_here(there.device.environment | {"OLLAMA_NO_CLOUD": "1"}, *ROTATE)
    assert done.status == 5
    done = run_here(there.device.environment, *ROTATE, "--name", "x" * 65)
    assert done.status == 2
    assert there.here == {there.old.public_key}


def test_it_acts_on_the_stored_key_and_says_what_is_used_before_it(there: Rotating) -> None:
    there.approve(there.begin())
    done = run_here(there.device.environment | {"OLLAMA_CLI_KEY": there.old.to_openssh().reveal()}, *ROTATE)
    assert done.status == 0
    assert "OLLAMA_CLI_KEY is used before the new key" in done.said
    assert there.is_done()


def test_the_key_of_one_profile_is_rotated_and_no_other(there: Rotating) -> None:
    run_here(there.device.environment, "--profile", "work", "--insecure-storage", "signin", "--no-wait")
    work = next(key for key, _ in there.listed() if key != there.old.public_key)
    there.cloud.approve(work, "device")
    done = run_here(there.device.environment, "--profile", "work", *ROTATE, "--no-wait")
    assert "`ollama-cli --profile work keys rotate` goes on" in done.said
    new = there.listed()[-1][0]
    there.cloud.approve(new, "device")
    status = run_here(there.device.environment, "--profile", "work", "status")
    assert "`ollama-cli --profile work keys rotate`" in status.out
    assert "device key of a rotation" in run_here(there.device.environment, "profile", "list").out
    assert run_here(there.device.environment, "--profile", "work", *ROTATE).status == 0
    assert there.on_account == there.here == {there.old.public_key, new}
    assert there.device("--profile", "nobody", *ROTATE).returncode == 4


def test_a_profile_with_an_api_key_has_no_key_to_rotate(there: Rotating, tmp_path: Path) -> None:
    (tmp_path / "api key").write_text(there.cloud.make_api_key().reveal())
    environment = there.device.environment
    run_here(environment, "--profile", "work", "--insecure-storage", "signin", "--api-key", stdin=tmp_path / "api key")
    done = run_here(environment, "--profile", "work", *ROTATE, "--json")
    assert done.status == 4
    assert "has an API key, and no device key" in json_error(done.said)["message"]
