"""The device keys of this machine: listed, shown, and taken off the account, several at once and one failing."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forking import Forks
from support import Cli, Sandbox, approve, approved_key, make_device, until

from ollama_cli import DeviceKey
from ollama_cli.sandbox.server import EmbeddedSandbox

pytestmark = pytest.mark.forked

NOWHERE = "http://127.0.0.1:9"
FINGERPRINT = r"SHA256:[\w+/]{43}"


def other_device(sandbox: Sandbox) -> DeviceKey:
    """The key of another device, on the account."""
    key = DeviceKey.generate()
    approve(sandbox, key)
    return key


def own_key(device: Cli) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(device("keys", "show", "--json").stdout)
    return shown


def kept(device: Cli) -> bool:
    """Whether the device still keeps a key in a file."""
    return any((device.home / "state" / "data" / "keys").iterdir())


def outcomes(stdout: str) -> list[str]:
    return [key["outcome"] for key in json.loads(stdout)["keys"]]


@pytest.fixture
def device_key(device: Cli, sandbox: Sandbox) -> DeviceKey:
    """The key of ``device``, on the account."""
    key = make_device(device, sandbox.url)
    approve(sandbox, key)
    return key


@pytest.fixture
def offline(tmp_path: Path, forks: Forks) -> Cli:
    """The installed command where nothing answers, so that whatever asks a server fails."""
    return Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": NOWHERE}, forks)


@pytest.fixture
def offline_key(offline: Cli) -> DeviceKey:
    """The key of ``offline``."""
    return make_device(offline, NOWHERE)


# list


def test_list_tells_every_key_of_this_machine(offline: Cli, offline_key: DeviceKey) -> None:
    elsewhere = make_device(offline, "https://example.com")
    listed = json.loads(offline("keys", "list", "--json").stdout)
    assert [(key["fingerprint"], key["this_device"]) for key in listed] == [
        (offline_key.fingerprint, True),
        (elsewhere.fingerprint, False),
    ]
    assert listed[0] == {
        "fingerprint": offline_key.fingerprint,
        "public_key": offline_key.public_key,
        "encoded": offline_key.encoded,
        "made": listed[0]["made"],
        "last_used": None,
        "store": "file",
        "profile": "default",
        "origin": NOWHERE,
        "this_device": True,
        "shared_with": None,
        "rotation": None,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", listed[0]["made"])


def test_list_in_a_pipe_has_aligned_columns(offline: Cli, offline_key: DeviceKey) -> None:
    make_device(offline, "https://example.com")
    done = offline("keys", "list")
    headings, *rows = done.stdout.splitlines()
    assert re.split(r" {4,}", headings) == [
        "FINGERPRINT",
        "MADE",
        "LAST USED",
        "STORE",
        "PROFILE",
        "ORIGIN",
        "THIS DEVICE",
    ]
    for row in rows:
        columns = [column.strip() for column in re.split(r" {4,}", row)]
        assert re.fullmatch(FINGERPRINT, columns[0])
        assert row.index(columns[5]) == headings.index("ORIGIN")
    assert [row.split()[-1] for row in rows] == ["yes", "no"]
    assert done.stderr == ""


def test_list_of_nothing_says_so(offline: Cli) -> None:
    done = offline("keys", "list")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "no device key" in done.stderr
    assert offline("keys", "list", "--json").stdout == "[]\n"
    assert "`ollama-cli --sandbox signin`" in offline("--sandbox", "keys", "list").stderr
    in_sandbox = offline("--sandbox", "keys", "revoke", "--yes").stderr
    assert "take devices off at /settings/keys of `ollama-cli sandbox`" in in_sandbox
    assert "ollama.com" not in in_sandbox


def test_list_and_show_need_neither_store_nor_cloud(offline: Cli, offline_key: DeviceKey) -> None:
    for path in (offline.home / "state" / "data" / "keys").iterdir():
        path.write_text("not a key")
    environment = {"OLLAMA_NO_CLOUD": "1", "OLLAMA_HOST": "http://127.0.0.1:9", "OLLAMA_CLI_KEY": "garbage"}
    assert offline_key.fingerprint in offline("keys", "list", env=environment).stdout
    assert offline_key.fingerprint in offline("keys", "show", env=environment).stdout


@pytest.mark.parametrize(
    "change",
    [
        {"public_key": "x"},
        {"public_key": 5},
        {"created_at": "x"},
        {"created_at": 1e30},
        {"origin": None},
        {"store": []},
    ],
    ids=str,
)
def test_a_record_that_is_none_is_named(offline: Cli, offline_key: DeviceKey, change: dict[str, Any]) -> None:
    index = offline.home / "state" / "data" / "credentials.json"
    content = json.loads(index.read_text())
    content["credentials"][0] |= change
    index.write_text(json.dumps(content))
    done = offline("keys", "list")
    assert done.returncode == 9
    assert str(index) in done.stderr


# show


def test_show_tells_the_public_half(offline: Cli, offline_key: DeviceKey) -> None:
    done = offline("keys", "show")
    for text in (offline_key.public_key, offline_key.fingerprint, offline_key.encoded, "not encrypted", "yes"):
        assert text in done.stdout
    pem = offline_key.to_openssh().reveal().splitlines()[1:-1]
    assert not [line for line in pem if line in done.stdout + done.stderr]


@pytest.mark.parametrize("form", ["line", "comment", "encoded", "file", "file with comments", "fingerprint"])
def test_every_form_names_the_same_key(offline: Cli, offline_key: DeviceKey, tmp_path: Path, form: str) -> None:
    reference = written(offline_key, form, tmp_path)
    shown = json.loads(offline("keys", "show", reference, "--json").stdout)
    assert (shown["public_key"], shown["this_device"]) == (offline_key.public_key, True)


def test_show_computes_what_it_can_of_a_foreign_key(offline: Cli, offline_key: DeviceKey) -> None:
    foreign = DeviceKey.generate()
    done = offline("keys", "show", f"{foreign.public_key} laptop")
    assert done.returncode == 0
    assert foreign.fingerprint in done.stdout
    assert foreign.encoded in done.stdout
    assert "not one of this machine's" in done.stderr
    shown = json.loads(offline("keys", "show", foreign.encoded, "--json").stdout)
    assert (shown["store"], shown["origin"], shown["made"], shown["this_device"]) == (None, None, None, False)


def test_show_without_a_key_needs_a_sign_in(offline: Cli) -> None:
    done = offline("keys", "show")
    assert done.returncode == 4
    assert "ollama-cli signin" in done.stderr


def written(key: DeviceKey, form: str, folder: Path) -> str:
    """A key as a person may name it."""
    path = folder / "device.pub"
    if form == "file":
        path.write_text(f"{key.public_key} me@laptop\n")
    elif form == "file with comments":
        path.write_bytes(b"\xef\xbb\xbf# my laptop\r\n\r\n" + key.public_key.encode() + b"\r\n")
    forms = {"line": key.public_key, "comment": f"{key.public_key} me@laptop at home", "encoded": key.encoded}
    return str(path) if form.startswith("file") else {**forms, "fingerprint": key.fingerprint}[form]


# What names no key: nothing is revoked for it, however right the others are.


def bad_file(folder: Path, content: bytes) -> str:
    path = folder / "bad.pub"
    path.write_bytes(content)
    return str(path)


BAD: dict[str, tuple[Callable[[Path], str], str]] = {
    "empty": (lambda _: "", "neither a key nor a file"),
    "garbage": (lambda _: "garbage", "neither a key nor a file"),
    "long garbage": (lambda _: "x" * 5000, "'xxxxxxxxxxxx…' is neither"),
    "rsa line": (lambda _: "ssh-rsa AAAAB3NzaC1yc2E= me", "of the kind ssh-rsa"),
    "cut line": (lambda _: "ssh-ed25519 AAAAC3NzaC1lZDI1", "damaged or cut short"),
    "cut encoded": (lambda _: DeviceKey.generate().encoded[:-4], "damaged or cut short"),
    "foreign fingerprint": (lambda _: DeviceKey.generate().fingerprint, "public key line"),
    "private key": (lambda _: DeviceKey.generate().to_openssh().reveal(), "private key was given"),
    "missing file": (lambda folder: str(folder / "none.pub"), "none.pub' is neither a key nor a file"),
    "folder": (str, "it is not a file"),
    "device": (lambda _: "/dev/zero", "it is not a file"),
    "binary file": (lambda folder: bad_file(folder, b"\xff\xfe\x00ssh"), "it is not text"),
    "huge file": (lambda folder: bad_file(folder, b"#" * 100_000), "too large"),
    "empty file": (lambda folder: bad_file(folder, b"\n"), "not a file with one public key"),
    "two keys": (
        lambda folder: bad_file(folder, f"{DeviceKey.generate().public_key}\n".encode() * 2),
        "not a file with one public key",
    ),
    "private key file": (
        lambda folder: bad_file(folder, DeviceKey.generate().to_openssh().reveal().encode()),
        "holds a private key",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_nothing_is_revoked_when_one_text_names_no_key(
    offline: Cli, offline_key: DeviceKey, tmp_path: Path, case: str
) -> None:
    make, sentence = BAD[case]
    reference = make(tmp_path)
    done = offline("keys", "revoke", "--yes", offline_key.fingerprint, "--", reference)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert len(done.stderr) < 800
    assert not [line for line in reference.splitlines()[1:-1] if line in done.stderr]  # of a private key


# revoke


def test_one_device_takes_others_and_then_itself_off(
    device: Cli, sandbox: Sandbox, device_key: DeviceKey, tmp_path: Path
) -> None:
    laptop = Cli(tmp_path / "laptop", {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    laptop_key = make_device(laptop, sandbox.url)
    approve(sandbox, laptop_key)
    others = [other_device(sandbox), other_device(sandbox)]
    references = [
        device_key.fingerprint,
        written(others[0], "file", tmp_path),
        others[1].encoded,
        f"{laptop_key.public_key} laptop",
        others[1].public_key,  # a second time
    ]
    done = device("keys", "revoke", "--yes", *references)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{others[0].fingerprint}: revoked.",
        f"{others[1].fingerprint}: revoked.",
        f"{laptop_key.fingerprint}: revoked.",
        f"{device_key.fingerprint}: revoked, and forgotten here.",
    ]
    assert laptop("status", "--quiet").returncode == 4
    assert own_key(laptop)["fingerprint"] == laptop_key.fingerprint  # its own affair
    assert not kept(device)


def test_another_device_is_revoked_while_this_one_stays(device: Cli, sandbox: Sandbox, device_key: DeviceKey) -> None:
    other = other_device(sandbox)
    done = device("keys", "revoke", "--yes", "--json", other.encoded)
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "revoked": True,
        "keys": [
            {
                "fingerprint": other.fingerprint,
                "public_key": other.public_key,
                "this_device": False,
                "outcome": "taken_off",
                "forgotten": False,
                "error": None,
            }
        ],
    }
    assert device("status", "--quiet").returncode == 0


def test_a_key_of_another_account_is_told(device: Cli, device_key: DeviceKey, start: Callable[..., Sandbox]) -> None:
    elsewhere = other_device(start())
    done = device("keys", "revoke", "--yes", elsewhere.encoded)
    assert done.returncode == 2
    assert "no such key on this account (404: key not found)" in done.stderr
    assert "another account" in done.stderr


def test_a_failure_does_not_keep_the_rest_from_being_tried(
    device: Cli, sandbox: Sandbox, device_key: DeviceKey
) -> None:
    unknown, other = DeviceKey.generate(), other_device(sandbox)
    references = [unknown.encoded, other.encoded, device_key.encoded]
    done = device("keys", "revoke", "--yes", "--json", *references)
    assert done.returncode == 2
    assert outcomes(done.stdout) == ["unknown_key", "taken_off", "taken_off"]
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert error["code"] == "key_unknown"
    assert error["message"].startswith("1 of 3 keys were not revoked.")
    assert not kept(device)


FAULTS = [
    # fault, status, what becomes of two other keys and this device's own, words
    ("status:403*1", 5, ["refused", "taken_off", "taken_off"], "does not let this device take another one off (403"),
    ("status:405*1", 5, ["refused", "taken_off", "taken_off"], "does not let this device take another one off (405"),
    ("status:403+body:html*1", 5, ["refused", "taken_off", "taken_off"], "take another one off (403)"),
    ("status:401*1", 5, ["refused", "taken_off", "taken_off"], "take another one off (401"),
    ("status:404*1", 2, ["unknown_key", "taken_off", "taken_off"], "knows no such key"),
    ("status:410*1", 2, ["unknown_key", "taken_off", "taken_off"], "knows no such key"),
    ("status:429*1", 6, ["failed", "taken_off", "taken_off"], "limit"),
    ("status:503*1", 0, ["taken_off", "taken_off", "taken_off"], ""),  # tried again
    ("status:500*1", 7, ["failed", "taken_off", "taken_off"], "status 500"),
    ("redirect:https://example.com/*1", 7, ["failed", "taken_off", "taken_off"], "redirect"),
    ("status:404+body:html*1", 7, ["failed", "not_tried", "not_tried"], "no Ollama server"),
    ("status:401+body:empty*1", 7, ["failed", "not_tried", "not_tried"], "no Ollama server"),
    ("body:html*1", 7, ["failed", "not_tried", "not_tried"], "not what an Ollama server answers"),
    ("drop*1", 0, ["taken_off", "taken_off", "taken_off"], ""),  # tried again
    ("skew:200000*1", 4, ["failed", "not_tried", "not_tried"], "clock"),
    ("skew:-900*2", 0, ["taken_off", "taken_off", "taken_off"], "clock"),
    ("status:204*3", 0, ["taken_off", "taken_off", "taken_off"], ""),
]


@pytest.mark.parametrize(("fault", "status", "ends", "words"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_at_the_first_of_three_keys(
    tmp_path: Path, fault: str, status: int, ends: list[str], words: str, forks: Forks
) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", faults=[f"DELETE /api/user/keys/*={fault}"]) as faulty:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": faulty.url}, forks)
        own = make_device(device, faulty.url)
        faulty.approve(own.public_key, "own")
        references = [own.encoded, *(approved_key(faulty).encoded for _ in range(2))]
        done = device("keys", "revoke", "--yes", "--json", *references)
    assert (done.returncode, outcomes(done.stdout)) == (status, ends), done.stderr
    assert words in done.stdout + done.stderr
    forgotten = ends[-1] == "taken_off"
    assert json.loads(done.stdout)["keys"][-1]["forgotten"] is forgotten
    assert kept(device) is not forgotten


def test_a_network_lost_in_the_middle_tells_what_is_done_and_leaves_the_rest(tmp_path: Path, forks: Forks) -> None:
    first, second = DeviceKey.generate(), DeviceKey.generate()
    fault = f"DELETE /api/user/keys/{second.encoded}=drop"
    with EmbeddedSandbox(tmp_path / "sandbox", faults=[fault]) as faulty:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": faulty.url}, forks)
        own = make_device(device, faulty.url)
        for key in (own, first, second):
            faulty.approve(key.public_key, "device")
        done = device("keys", "revoke", "--yes", own.encoded, first.encoded, second.encoded)
    assert done.returncode == 7
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == [
        first.fingerprint,
        second.fingerprint,
        own.fingerprint,
    ]
    assert re.search(r": revoked\.\n.*broke off\.\n.*: not tried\.\n", done.stdout)
    assert "2 of 3 keys were not revoked" in done.stderr
    assert kept(device)


def test_not_signed_in_is_found_out_once_and_then_forgotten(device: Cli, sandbox: Sandbox) -> None:
    own, others = make_device(device, sandbox.url), [other_device(sandbox) for _ in range(2)]
    before = len(sandbox.requests())
    done = device("keys", "revoke", "--yes", "--json", *(key.encoded for key in (*others, own)))
    assert done.returncode == 4
    assert outcomes(done.stdout) == ["failed", "not_tried", "not_signed_in"]
    assert "not signed in" in done.stderr
    assert [request["method"] for request in sandbox.requests()[before:]] == ["DELETE", "POST", "DELETE", "POST"]
    assert not kept(device)


def test_another_devices_key_is_not_the_reason_to_forget_ours(device: Cli, sandbox: Sandbox) -> None:
    own, other = make_device(device, sandbox.url), other_device(sandbox)
    done = device("keys", "revoke", "--yes", other.encoded)
    assert done.returncode == 4
    assert "cannot take another one off" in done.stderr
    assert own_key(device)["fingerprint"] == own.fingerprint


def test_without_a_key_of_its_own_a_device_revokes_nothing(device: Cli, sandbox: Sandbox) -> None:
    done = device("keys", "revoke", "--yes", other_device(sandbox).encoded)
    assert done.returncode == 4
    assert "ollama-cli signin" in done.stderr


def test_a_yes_is_needed_for_another_devices_key_too(device: Cli, sandbox: Sandbox, device_key: DeviceKey) -> None:
    before = len(sandbox.requests())
    assert device("keys", "revoke", other_device(sandbox).encoded).returncode == 2
    assert not [request for request in sandbox.requests()[before:] if request["method"] == "DELETE"]


def test_keys_acts_on_the_stored_key_whatever_the_environment_holds(
    device: Cli, sandbox: Sandbox, device_key: DeviceKey
) -> None:
    environment = {
        "OLLAMA_HOST": "http://127.0.0.1:9",
        "OLLAMA_API_KEY": "some-api-key",
        "OLLAMA_CLI_KEY": other_device(sandbox).to_openssh().reveal(),
    }
    done = device("keys", "revoke", "--yes", env=environment)
    assert done.returncode == 0
    assert done.stdout == f"{device_key.fingerprint}: revoked, and forgotten here.\n"
    assert "OLLAMA_API_KEY is still there" in done.stderr
    assert "http://127.0.0.1:9 has a key of its own" in done.stderr
    assert "some-api-key" not in done.stdout + done.stderr


def test_a_credential_that_cannot_be_used_does_not_hide_what_was_done(device: Cli, device_key: DeviceKey) -> None:
    done = device("keys", "revoke", "--yes", env={"OLLAMA_CLI_KEY": "garbage"})
    assert done.returncode == 0
    assert "Note: OLLAMA_CLI_KEY" in done.stderr


@pytest.mark.parametrize("command", [["revoke", "--yes"], ["show"]], ids=" ".join)
def test_a_key_file_is_refused(device: Cli, device_key: DeviceKey, tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "key"
    path.write_text(DeviceKey.generate().to_openssh().reveal())
    done = device("--key-file", str(path), "keys", *command)
    assert done.returncode == 2
    assert "--key-file" in done.stderr
    assert device("status", "--quiet").returncode == 0


def test_a_key_that_cannot_be_deleted_is_told_as_revoked(device: Cli, device_key: DeviceKey) -> None:
    lock = device.home / "state" / "data" / "credentials.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()  # so that the list cannot be changed
    done = device("keys", "revoke", "--yes", "--json")
    assert done.returncode == 9
    assert outcomes(done.stdout) == ["taken_off"]
    assert json.loads(done.stdout)["keys"][0]["forgotten"] is False
    assert "off your account, but its key is still kept here" in done.stderr


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_ctrl_c_in_the_middle_tells_what_is_done(
    tmp_path: Path, start: Callable[..., Sandbox], *, as_json: bool, forks: Forks
) -> None:
    keys = [DeviceKey.generate() for _ in range(3)]
    slow = start(f"DELETE /api/user/keys/{keys[1].encoded}=delay:30")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": slow.url}, forks)
    own = make_device(device, slow.url)
    for key in (own, *keys):
        approve(slow, key)
    references = [key.encoded for key in keys]
    process = device.start("keys", "revoke", "--yes", *(["--json"] if as_json else []), *references)
    until(lambda: sum(request["method"] == "DELETE" for request in slow.requests()) >= 2, process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    if as_json:
        assert outcomes(stdout) == ["taken_off", "interrupted", "not_tried"]
    else:
        assert stdout.splitlines() == [
            f"{keys[0].fingerprint}: revoked.",
            f"{keys[1].fingerprint}: interrupted; whether it is off the account is not known.",
            f"{keys[2].fingerprint}: not tried.",
        ]
