"""Profiles: several accounts side by side, each with a credential of its own; none is lost or taken for another."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from filelock import FileLock
from forking import Forks
from stored_credentials import entries, index_file, keep_api_key, keep_key, keep_token, listed, use
from support import Cli, Sandbox, approve, make_device, wallet_of
from terminals import Terminal

from ollama_cli.sandbox.server import EmbeddedSandbox

NOWHERE = "http://127.0.0.1:9"
MODEL = "gpt-oss:120b-cloud"


pytestmark = pytest.mark.forked


@pytest.fixture
def offline(tmp_path: Path, forks: Forks) -> Cli:
    """The installed command where nothing answers, so that whatever asks a server fails."""
    return Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": NOWHERE}, forks)


def account(device: Cli, *args: str, env: dict[str, str] | None = None) -> tuple[str | None, str | None]:
    """Which profile counts, and with which key."""
    told = json.loads(device(*args, "status", "--json", env=env).stdout)
    return told["profile"], told["fingerprint"]


# Side by side


def test_each_profile_is_a_device_of_its_own(device: Cli, sandbox: Sandbox) -> None:
    first = make_device(device, sandbox.url)
    approve(sandbox, first)
    begun = device("--insecure-storage", "signin", "--profile", "Work", "--no-wait")
    assert begun.returncode == 4
    assert "`ollama-cli --profile work status`" in begun.stderr
    assert sandbox.decide(begun.stdout.strip()).status_code == 200
    signed_in = device("--profile", "work", "signin")
    assert (signed_in.returncode, signed_in.stdout) == (0, "")
    assert "Signed in as sandbox, in the profile work." in signed_in.stderr
    assert "`ollama-cli profile use work`" in signed_in.stderr
    again = device("--profile", "work", "signin", env={"OLLAMA_CLI_PROFILE": "default"})
    assert "without --profile, OLLAMA_CLI_PROFILE has the profile default count" in again.stderr
    second = wallet_of(device, "work").ensure(sandbox.url).credential
    assert second.fingerprint != first.fingerprint
    assert account(device) == ("default", first.fingerprint)
    assert account(device, env={"OLLAMA_CLI_PROFILE": "work"}) == ("work", second.fingerprint)
    assert device("profile", "use", "work").returncode == 0
    assert account(device) == ("work", second.fingerprint)
    assert account(device, "--profile", "default", env={"OLLAMA_CLI_PROFILE": "work"}) == ("default", first.fingerprint)


def test_signing_a_profile_out_leaves_the_others_and_says_so(device: Cli, sandbox: Sandbox) -> None:
    keys = {name: keep_key(device, sandbox.url, name) for name in ("default", "work", "home")}
    for key in keys.values():
        approve(sandbox, key)
    use(device, "work")
    done = device("signout")
    assert (done.returncode, "Signed out" in done.stderr) == (0, True)
    assert "2 other profiles have credentials of their own" in done.stderr
    assert device("status", "--quiet").returncode == 4
    assert device("--profile", "home", "status", "--quiet").returncode == 0
    done = device("signout", "--profile", "home")
    assert "the profile default has a credential of its own" in done.stderr
    assert account(device, "--profile", "default") == ("default", keys["default"].fingerprint)
    assert {record["profile"] for record in listed(device)["credentials"]} == {"default"}


def test_what_is_stored_is_an_entry_a_secret_and_no_secret_is_in_the_list(offline: Cli) -> None:
    keep_key(offline, NOWHERE, "work")
    keep_api_key(offline, NOWHERE, "an-api-key-of-work", "play")
    keep_token(offline, "https://box.example", "Bearer a-token", "work")
    keep_token(offline, "https://box.example", "Basic dTpw", "play")
    kept = entries(offline)
    assert len(kept) == 4
    listing = index_file(offline).read_text()
    assert not [secret for secret in ("PRIVATE", "an-api-key", "a-token", "dTpw") if secret in listing]
    assert listed(offline)["version"] == 2


def test_twenty_signins_at_once_end_with_one_key(device: Cli) -> None:
    processes = [device.start("--insecure-storage", "--profile", "work", "signin", "--no-wait") for _ in range(20)]
    ends = [(process.communicate(timeout=100), process.returncode) for process in processes]
    assert {status for _, status in ends} == {4}
    assert len({out for (out, _), _ in ends}) == 1
    assert len(entries(device)) == 1
    assert len(listed(device)["credentials"]) == 1


# list and use


def test_profiles_are_listed_without_a_server_or_a_keyring(offline: Cli) -> None:
    key = keep_key(offline, NOWHERE, "work")
    keep_api_key(offline, "https://ollama.com", "k", "play")
    keep_token(offline, "https://box.example", "Basic dTpw", "work")
    content = index_file(offline).read_text().replace('"file"', '"keyring"')
    index_file(offline).write_text(content)
    table = offline("profile", "list")
    assert (table.returncode, table.stderr) == (0, "")
    rows = [line.split("  ") for line in table.stdout.splitlines()]
    assert [[cell.strip() for cell in row if cell] for row in rows] == [
        ["PROFILE", "CURRENT", "CREDENTIAL", "FOR", "STORE"],
        ["default", "yes", "none"],
        ["play", "no", "API key", "https://ollama.com", "keyring"],
        ["work", "no", "device key", NOWHERE, "keyring"],
        ["work", "no", "token", "https://box.example", "keyring"],
    ]
    told = offline("profile", "list", "--json", env={"OLLAMA_CLI_PROFILE": "work"})
    assert told.stderr == "Note: OLLAMA_CLI_PROFILE has the profile work count.\n"
    profiles = {each["profile"]: each for each in json.loads(told.stdout)}
    assert [name for name, each in profiles.items() if each["current"]] == ["default"]
    assert profiles["default"]["credentials"] == []
    device_key, token = profiles["work"]["credentials"]
    assert device_key["fingerprint"] == key.fingerprint
    assert (token["credential"], token["scheme"], token["origin"]) == ("token", "basic", "https://box.example")
    assert [*profiles] == ["default", "play", "work"]


def test_only_a_profile_that_is_there_is_used(offline: Cli) -> None:
    keep_key(offline, NOWHERE, "work")
    refused = offline("profile", "use", "wrok", "--json")
    assert (refused.returncode, json.loads(refused.stderr)["error"]["code"]) == (2, "no_such_profile")
    done = offline("profile", "use", "WORK", "--json", env={"OLLAMA_API_KEY": "k", "OLLAMA_CLI_PROFILE": "play"})
    assert json.loads(done.stdout) == {"profile": "work", "changed": True}
    assert "OLLAMA_API_KEY is used before it" in done.stderr
    assert "OLLAMA_CLI_PROFILE has the profile play count" in done.stderr
    again = offline("profile", "use", "work")
    assert (again.returncode, again.stderr) == (0, "The profile work is the current one already.\n")


def test_a_shell_is_offered_the_profiles(offline: Cli) -> None:
    keep_key(offline, NOWHERE, "work")
    keep_api_key(offline, NOWHERE, "k", "play")
    lines = (["--profile", ""], ["signin", "--profile", ""], ["profile", "use", ""], ["profile", "remove", ""])
    for words in lines:
        told = offline("__complete", "zsh", stdin="".join(f"{word}\0" for word in words)).stdout.splitlines()
        assert [line.partition("\t")[0] for line in told] == ["words", "default", "play", "work"], words


@pytest.mark.parametrize(
    "args",
    [
        ["run", MODEL, "hi"],
        ["status"],
        ["signout"],
        ["keys", "show"],
        ["keys", "export", "--public"],
        ["keys", "revoke", "--yes"],
        ["keys", "list"],
        ["signout", "--host", "https://daemon.example", "--token"],
    ],
    ids=" ".join,
)
def test_a_profile_that_is_not_there_is_told_and_not_made(offline: Cli, args: list[str]) -> None:
    done = offline("--profile", "wrok", *args)
    assert (done.returncode, done.stdout) == (4, "")
    assert "There is no profile wrok" in done.stderr
    assert "ollama-cli --profile wrok signin makes it" in done.stderr
    assert not index_file(offline).exists()


def test_the_profile_of_the_environment_has_to_be_there_as_well(offline: Cli) -> None:
    done = offline("run", MODEL, "hi", env={"OLLAMA_CLI_PROFILE": "wrok"})
    assert (done.returncode, "There is no profile wrok" in done.stderr) == (4, True)
    named = offline("chats", "list", env={"OLLAMA_CLI_PROFILE": "a/b"})
    assert (named.returncode, "OLLAMA_CLI_PROFILE names the profile 'a/b'" in named.stderr) == (2, True)


@pytest.mark.parametrize(
    "name", ["../x", "a b", "", "-x", ".x", "a\nb", "\x1b[31mred", "wörk", "a@b", "x" * 65, "\u212a"]
)
def test_a_name_that_could_be_a_path_or_a_sequence_is_refused_and_shown_clean(offline: Cli, name: str) -> None:
    done = offline(f"--profile={name}", "signin", "--no-wait")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a profile cannot be called that" in done.stderr
    assert all(letter.isprintable() or letter == "\n" for letter in done.stderr)
    assert not index_file(offline).exists()


def test_with_the_sandbox_profiles_are_ignored(offline: Cli) -> None:
    keep_key(offline, NOWHERE, "work")
    use(offline, "work")
    before = index_file(offline).read_text()
    done = offline("--sandbox", "--profile", "nowhere", "run", MODEL, "hi", env={"OLLAMA_CLI_PROFILE": "neither"})
    assert done.returncode == 0, done.stderr
    assert index_file(offline).read_text() == before
    assert offline("--sandbox", "profile", "list").returncode == 2


# remove


def test_removing_a_profile_takes_its_device_off_the_account_first(device: Cli, sandbox: Sandbox) -> None:
    kept, gone = keep_key(device, sandbox.url, "default"), keep_key(device, sandbox.url, "work")
    for key in (kept, gone):
        approve(sandbox, key)
    other = keep_key(device, "https://box.example", "work")
    keep_token(device, "https://proxy.example", "Bearer a-token", "work")
    use(device, "work")
    asked = device("profile", "remove", "work")
    assert (asked.returncode, "needs a yes" in asked.stderr) == (2, True)
    nowhere = device("profile", "remove", "work", "--yes", env={"OLLAMA_CLOUD_BASE_URL": NOWHERE})
    assert nowhere.returncode == 0, nowhere.stderr
    assert f"{gone.fingerprint} for {sandbox.url} is forgotten" in nowhere.stderr  # not a server to be asked now
    assert f"{other.fingerprint} for https://box.example is forgotten" in nowhere.stderr
    assert "The token for https://proxy.example is forgotten" in nowhere.stderr
    assert "The current profile is default now." in nowhere.stderr
    assert list(entries(device)) == [f"default@{sandbox.url}".replace(":", "%3A").replace("/", "%2F")]
    assert account(device) == ("default", kept.fingerprint)


def test_a_removed_profile_s_device_is_off_the_account(device: Cli, sandbox: Sandbox) -> None:
    key = keep_key(device, sandbox.url, "work")
    approve(sandbox, key)
    done = device("profile", "remove", "work", "--yes", "--json")
    assert json.loads(done.stdout) == {
        "profile": "work",
        "removed": True,
        "outcomes": [{"origin": sandbox.url, "outcome": "signed_out"}],
    }
    assert [request["target"].partition("?")[0] for request in sandbox.requests() if request["method"] == "DELETE"] == [
        f"/api/user/keys/{key.encoded}"
    ]
    assert entries(device) == {}


def test_a_profile_is_removed_here_only_where_that_is_said(offline: Cli) -> None:
    keep_key(offline, NOWHERE, "work")
    keep_api_key(offline, NOWHERE, "k", "play")
    keep_api_key(offline, "http://127.0.0.1:8080", "of a stand-in that was", "play")
    assert offline("profile", "remove", "work", "--yes").returncode == 7
    assert len(entries(offline)) == 3
    done = offline("profile", "remove", "work", "--yes", "--local-only")
    assert (done.returncode, "may still be on your account" in done.stderr) == (0, True)
    told = offline("profile", "remove", "play", "--yes")
    assert (told.returncode, "valid until you revoke it" in told.stderr) == (0, True)
    assert "The API key for http://127.0.0.1:8080 is forgotten." in told.stderr
    assert entries(offline) == {}
    assert offline("profile", "remove", "work", "--yes").returncode == 2
    default = offline("profile", "remove", "default", "--yes")
    assert (default.returncode, "`ollama-cli signout`" in default.stderr) == (2, True)


def test_a_person_is_asked_before_a_profile_is_removed(offline: Cli) -> None:
    keep_api_key(offline, NOWHERE, "k", "play")
    terminal = Terminal(offline, "profile", "remove", "play")
    terminal.until_text("Remove the profile play with what it keeps for")
    terminal.type("n\r")
    assert terminal.end() == 1
    assert len(entries(offline)) == 1


# The list of what is stored


def test_a_list_of_the_first_release_is_read_and_kept_in_its_form(device: Cli, sandbox: Sandbox) -> None:
    key = make_device(device, sandbox.url)
    approve(sandbox, key)
    record = listed(device)["credentials"][0]
    old = {name: record[name] for name in ("profile", "origin", "store", "public_key", "created_at")}
    index_file(device).write_text(json.dumps({"version": 1, "credentials": [old]}))
    assert account(device) == ("default", key.fingerprint)
    content = listed(device)
    assert content["version"] == 1
    assert content["credentials"][0]["signed_in_at"] > 0
    keep_api_key(device, sandbox.url, "k", "work")
    assert (listed(device)["version"], len(listed(device)["credentials"])) == (2, 1)


@pytest.mark.parametrize(
    "content",
    [
        {"version": 3, "credentials": []},
        {"version": 2, "credentials": [], "secrets": [{}]},
        {"version": 2, "credentials": [], "secrets": {}, "current_profile": "../x"},
        {"version": 2, "credentials": [], "secrets": [], "current_profile": 7},
        {
            "version": 2,
            "credentials": [],
            "secrets": [
                {"profile": "a\n", "origin": "o", "kind": "api_key", "store": "file", "created_at": 1},
            ],
        },
    ],
    ids=["newer", "no record", "no name", "a number", "a profile's name"],
)
def test_a_damaged_or_newer_list_is_named_and_not_overwritten(offline: Cli, content: object) -> None:
    index_file(offline).parent.mkdir(parents=True)
    index_file(offline).write_text(json.dumps(content))
    before = index_file(offline).read_bytes()
    for args in (["profile", "list"], ["profile", "use", "default"], ["--insecure-storage", "signin", "--no-wait"]):
        done = offline(*args)
        assert (done.returncode, "is damaged, or of a later release" in done.stderr) == (9, True), args
    assert index_file(offline).read_bytes() == before
    assert entries(offline) == {}


# When a key was last used


def test_the_last_use_of_a_key_is_noted_once_a_day_and_waits_for_nobody(device: Cli, sandbox: Sandbox) -> None:
    approve(sandbox, make_device(device, sandbox.url))
    with FileLock(index_file(device).with_suffix(".lock")):
        assert device("run", MODEL, "hi").returncode == 0
    assert listed(device)["credentials"][0].get("last_used_at") is None
    assert device("run", MODEL, "hi").returncode == 0
    record = listed(device)["credentials"][0]
    assert abs(record["last_used_at"] - time.time()) < 60
    told = json.loads(device("keys", "list", "--json").stdout)[0]
    assert told["last_used"][:4] == time.strftime("%Y", time.gmtime(record["last_used_at"]))
    before = index_file(device).stat()
    assert device("run", MODEL, "hi").returncode == 0
    assert index_file(device).stat().st_mtime_ns == before.st_mtime_ns
    content = listed(device)
    content["credentials"][0]["last_used_at"] -= 100_000
    index_file(device).write_text(json.dumps(content))
    assert device("search", "x").returncode == 0
    assert abs(listed(device)["credentials"][0]["last_used_at"] - time.time()) < 60


def test_keys_of_every_profile_are_listed_with_their_columns(offline: Cli) -> None:
    keep_key(offline, NOWHERE, "default")
    work = keep_key(offline, NOWHERE, "work")
    table = offline("keys", "list", "--profile", "work").stdout.splitlines()
    headings = ["FINGERPRINT", "MADE", "LAST USED", "STORE", "PROFILE", "ORIGIN", "THIS DEVICE"]
    assert re.split(" {2,}", table[0]) == headings
    own = [line for line in table if line.endswith("yes")]
    assert [line.split()[0] for line in own] == [work.fingerprint]
    assert "never" in own[0]


def test_a_terminal_too_narrow_for_the_table_shows_each_key_as_lines_of_its_own(offline: Cli) -> None:
    keys = [keep_key(offline, NOWHERE, profile) for profile in ("default", "work")]
    wide = Terminal(offline, "keys", "list", columns=160)
    assert (wide.end(), wide.text) == (0, offline("keys", "list").stdout.rstrip())
    narrow = Terminal(offline, "keys", "list", columns=72)
    assert narrow.end() == 0
    shown = narrow.text.split("\n\n")
    assert [text.splitlines()[0] for text in shown] == [f"Fingerprint  {key.fingerprint}" for key in keys]
    assert [line.split("  ")[0] for line in shown[1].splitlines()] == [
        heading.capitalize() for heading in re.split("  +", wide.text.splitlines()[0])
    ]
    profiles = Terminal(offline, "profile", "list", columns=40)
    assert profiles.end() == 0
    assert [text.split()[:2] for text in profiles.text.split("\n\n")] == [["Profile", "default"], ["Profile", "work"]]


# Two at once, and cut short


def test_a_profile_gets_one_kind_of_credential_however_many_ask(tmp_path: Path) -> None:
    with EmbeddedSandbox(tmp_path / "cloud", pace=0) as cloud:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": cloud.url})
        secret = cloud.make_api_key().reveal()
        keep_api_key(device, cloud.url, secret)
        done = device("--insecure-storage", "signin", "--no-wait")
        assert (done.returncode, "with an API key" in done.stderr) == (0, True)
        imported = device("--insecure-storage", "keys", "import", "-", stdin=_pem())
        assert (imported.returncode, "has an API key" in imported.stderr) == (9, True)
        assert list(entries(device).values()) == [secret]


def _pem() -> str:
    from ollama_cli import DeviceKey

    return DeviceKey.generate().to_openssh().reveal()


def test_one_key_is_not_two_profiles_key(offline: Cli) -> None:
    key = keep_key(offline, NOWHERE, "default")
    done = offline("--insecure-storage", "--profile", "work", "keys", "import", "-", stdin=key.to_openssh().reveal())
    assert (done.returncode, "the profile default already" in done.stderr) == (9, True)
    assert len(entries(offline)) == 1
    assert "ollama-cli --profile default signout" in done.stderr, "the default profile cannot be removed"


def test_what_to_do_next_is_said_for_the_profile_that_is_named(offline: Cli) -> None:
    told = offline("--profile", "default", "keys", "list").stderr
    assert "`ollama-cli --profile default signin` makes one" in told
    done = offline("--insecure-storage", "--profile", "work", "keys", "import", "-", stdin=_pem())
    assert (done.returncode, "`ollama-cli --profile work signin`" in done.stderr) == (0, True)
    hint = offline("--profile", "other", "keys", "import", "-", stdin=next(iter(entries(offline).values()))).stderr
    assert "ollama-cli profile remove work" in hint
    without_keyring = offline("--profile", "new", "signin", "--no-wait")
    assert (
        without_keyring.returncode,
        "`ollama-cli --profile new --insecure-storage signin`" in without_keyring.stderr,
    ) == (9, True)


@pytest.mark.parametrize("command", [("signin", "--no-wait"), ("run", MODEL, "hi")])
def test_a_key_that_its_store_has_lost_is_told_of_when_another_takes_its_place(
    device: Cli, sandbox: Sandbox, command: tuple[str, ...]
) -> None:
    lost = make_device(device, sandbox.url)
    approve(sandbox, lost)
    for file in (device.home / "state" / "data" / "keys").iterdir():
        file.unlink()
    done = device("--insecure-storage", *command)
    assert f"The key {lost.fingerprint} is no longer in its store" in done.stderr
    assert "take it off at https://ollama.com/settings/keys" in done.stderr
    assert "no longer in its store" not in device("--insecure-storage", *command).stderr
