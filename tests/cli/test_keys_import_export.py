"""``keys import`` and ``keys export``: a key comes and goes in OpenSSH form, and is seen nowhere else."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from canaries import found, found_below, private_half
from support import AS_A_USER, COMMAND, Cli, Sandbox, make_device, needs_a_user
from terminals import Terminal, finish, pexpect_child, printed

from ollama_cli import DeviceKey

NOWHERE = "http://127.0.0.1:9"
PASSPHRASE = "correct-horse-battery-staple"
VECTORS = json.loads((Path(__file__).parents[1] / "data" / "vectors" / "keys.json").read_text())


@pytest.fixture
def offline(tmp_path: Path) -> Cli:
    """The installed command where nothing answers, so that whatever asks a server fails."""
    home = tmp_path / "home"
    home.mkdir()
    return Cli(home, {"OLLAMA_CLOUD_BASE_URL": NOWHERE})


@pytest.fixture
def key(offline: Cli) -> DeviceKey:
    """This device's key, in a file."""
    return make_device(offline, NOWHERE)


def keygen(path: Path, *args: str, passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path), *args], check=True)
    return path


def opened(path: Path, passphrase: str = "") -> str | None:
    """The public key line that ssh-keygen finds behind a private key, without comment; None where it opens nothing."""
    done = subprocess.run(
        ["ssh-keygen", "-y", "-P", passphrase, "-f", str(path)], capture_output=True, text=True, check=False
    )
    return " ".join(done.stdout.split()[:2]) if done.returncode == 0 else None


def take_in(device: Cli, source: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return device("--insecure-storage", "keys", "import", str(source), **more)


def own(device: Cli) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(device("keys", "show", "--json").stdout)
    return shown


def stored(device: Cli) -> Path:
    (path,) = (device.home / "state" / "data" / "keys").iterdir()
    return path


def nothing_stored(device: Cli) -> bool:
    return not (device.home / "state" / "data" / "keys").exists()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def shell(device: Cli, script: str) -> subprocess.CompletedProcess[str]:
    """Run the command, ``$CLI``, in a shell."""
    environment = device.environment | {"CLI": COMMAND}
    return subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


# There and back


def test_a_key_of_ssh_keygen_goes_there_and_back(offline: Cli, tmp_path: Path) -> None:
    source, copy = keygen(tmp_path / "source", "-C", "a comment"), tmp_path / "copy"
    done = take_in(offline, source, env={"OLLAMA_HOST": "http://127.0.0.1:8", "OLLAMA_NO_CLOUD": "1"})
    assert (done.returncode, done.stdout) == (0, "")
    assert own(offline)["fingerprint"] in done.stderr
    assert "ollama-cli signin" in done.stderr
    assert own(offline)["public_key"] == opened(source)
    assert (own(offline)["origin"], own(offline)["this_device"]) == (NOWHERE, True)
    exported = offline("keys", "export", "-o", str(copy), "--yes")
    assert (exported.returncode, exported.stdout) == (0, "")
    assert opened(copy) == opened(source)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize(("number", "ends"), [(0, "\n"), (1, "\r\n")], ids=["LF", "CRLF"])
def test_a_key_of_the_reference_goes_through_pipes(offline: Cli, number: int, ends: str) -> None:
    vector = VECTORS["keys"][number]
    done = take_in(offline, "-", stdin=vector["pem"].replace("\n", ends))
    assert done.returncode == 0, done.stderr
    assert own(offline)["encoded"] == vector["encoded_key"]
    back = offline("keys", "export", "--output=-", "--yes").stdout
    assert DeviceKey.from_openssh(back).fingerprint == vector["fingerprint_sha256"]
    assert "\r" not in back


def test_a_passphrase_stays_on_a_key_there_and_back(offline: Cli, tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_text(VECTORS["encrypted_pem"])
    child = pexpect_child(offline, "--insecure-storage", "keys", "import", str(source))
    child.expect(f"Passphrase for {source}: ")
    child.sendline("wrong")
    child.expect("That does not open it")
    child.sendline(VECTORS["encrypted_passphrase"])
    assert finish(child)[0] == 0
    assert printed(child).count("Passphrase for") == 2
    assert stored(offline).read_text() == VECTORS["encrypted_pem"]
    child = pexpect_child(offline, "keys", "export", "-o", str(copy), "--yes")
    child.expect("Passphrase for the key in ")
    child.sendline(VECTORS["encrypted_passphrase"])
    assert finish(child)[0] == 0
    copy.chmod(0o600)
    assert opened(copy) is None
    assert opened(copy, VECTORS["encrypted_passphrase"]) == own(offline)["public_key"]


@pytest.mark.parametrize("typed", [["wrong"] * 3, ["\x04"]], ids=["three wrong", "end of input"])
def test_without_the_passphrase_nothing_is_stored(offline: Cli, tmp_path: Path, typed: list[str]) -> None:
    source = keygen(tmp_path / "source", passphrase=PASSPHRASE)
    child = pexpect_child(offline, "--insecure-storage", "keys", "import", str(source))
    for text in typed:
        child.expect("Passphrase for ")
        child.send(text if text == "\x04" else f"{text}\r")
    assert finish(child)[0] == 2
    assert nothing_stored(offline)


@pytest.mark.parametrize(("through", "hint"), [("file", "At a terminal"), ("stdin", "Name its file")])
def test_a_script_is_told_of_a_passphrase(offline: Cli, tmp_path: Path, through: str, hint: str) -> None:
    source = keygen(tmp_path / "source", passphrase=PASSPHRASE)
    done = take_in(offline, "-", stdin=source.read_text()) if through == "stdin" else take_in(offline, source)
    assert done.returncode == 2
    assert "encrypted with a passphrase" in done.stderr
    assert hint in done.stderr
    assert nothing_stored(offline)


# Import


def test_signin_puts_an_imported_key_on_the_account(device: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    take_in(device, keygen(tmp_path / "source"))
    link = device("signin", "--no-wait").stdout.strip()
    assert own(device)["encoded"] in link
    sandbox.decide(link)
    told = json.loads(device("status", "--json").stdout)
    assert (told["signed_in"], told["fingerprint"]) == (True, own(device)["fingerprint"])


def test_the_same_key_again_changes_nothing(offline: Cli, key: DeviceKey) -> None:
    files = [stored(offline), offline.home / "state" / "data" / "credentials.json"]
    before = [(path.read_bytes(), path.stat().st_ino) for path in files]
    done = take_in(offline, "-", stdin=key.to_openssh().reveal())
    assert done.returncode == 0
    assert "already" in done.stderr
    assert [(path.read_bytes(), path.stat().st_ino) for path in files] == before
    told = json.loads(offline("keys", "import", str(stored(offline)), "--json").stdout)
    assert told == {"outcome": "already_kept", **own(offline)}


def test_another_key_is_never_overwritten(offline: Cli, key: DeviceKey, tmp_path: Path) -> None:
    before = stored(offline).read_text()
    done = offline("keys", "import", str(keygen(tmp_path / "source")), "--json")
    assert (done.returncode, done.stdout) == (9, "")
    error = json.loads(done.stderr)["error"]
    assert error["code"] == "store_occupied"
    assert "signout" in error["hint"]
    assert (stored(offline).read_text(), own(offline)["fingerprint"]) == (before, key.fingerprint)


def test_a_key_that_is_stored_and_not_listed_is_not_overwritten_either(
    offline: Cli, key: DeviceKey, tmp_path: Path
) -> None:
    (offline.home / "state" / "data" / "credentials.json").unlink()
    done = take_in(offline, keygen(tmp_path / "source"))
    assert done.returncode == 9
    assert "`ollama-cli signin` takes it up" in done.stderr
    assert private_half(stored(offline).read_text()) == private_half(key.to_openssh().reveal())


def test_a_key_that_its_store_has_lost_is_put_back(offline: Cli, key: DeviceKey) -> None:
    made = own(offline)["made"]
    stored(offline).unlink()
    lost = offline("keys", "export", "-o", "-", "--yes")
    assert (lost.returncode, lost.stdout) == (9, "")
    assert key.fingerprint in lost.stderr
    assert take_in(offline, "-", stdin=key.to_openssh().reveal()).returncode == 0
    back = offline("keys", "export", "-o", "-", "--yes").stdout
    assert private_half(back) == private_half(key.to_openssh().reveal())
    assert own(offline)["made"] == made


def test_a_key_for_another_server_is_refused(offline: Cli) -> None:
    other = make_device(offline, "https://example.com")
    done = take_in(offline, "-", stdin=other.to_openssh().reveal())
    assert done.returncode == 1
    assert "https://example.com" in done.stderr
    assert [each["origin"] for each in json.loads(offline("keys", "list", "--json").stdout)] == ["https://example.com"]


@pytest.mark.parametrize(
    "args", [["--sandbox", "keys", "import", "FILE"], ["--key-file", "FILE", "keys", "import", "-"]]
)
def test_import_is_not_for_the_sandbox_nor_with_a_key_file(offline: Cli, tmp_path: Path, args: list[str]) -> None:
    source = keygen(tmp_path / "source")
    done = offline(*(str(source) if word == "FILE" else word for word in args), stdin=source.read_text())
    assert done.returncode == 2
    assert args[0] in done.stderr
    assert nothing_stored(offline)


def test_what_is_used_before_it_is_told(offline: Cli, tmp_path: Path) -> None:
    done = take_in(offline, keygen(tmp_path / "source"), env={"OLLAMA_API_KEY": "a-key"})
    assert "OLLAMA_API_KEY is used before" in done.stderr


NO_KEYS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.touch(), "empty"),
    "bytes": (lambda path: path.write_bytes(b"\xff\xfe\x00"), "not text"),
    "huge": (lambda path: os.truncate(keygen(path), 1 << 40), "too large"),
    "public": (lambda path: keygen(path).with_suffix(".pub").replace(path), "a public key"),
    "rsa": (lambda path: keygen(path, "-t", "rsa", "-b", "2048"), "another kind"),
    "folder": (lambda path: path.mkdir(), "directory"),
    "missing": (lambda _: None, "No such file"),
}


@pytest.mark.parametrize("kind", NO_KEYS)
def test_what_is_no_usable_key_is_named_and_not_stored(offline: Cli, tmp_path: Path, kind: str) -> None:
    make, sentence = NO_KEYS[kind]
    path = tmp_path / "source"
    make(path)
    done = take_in(offline, path)
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert sentence in done.stderr
    assert nothing_stored(offline)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("$CLI keys import - <&-", "no key on standard input"),
        ("printf '' | $CLI keys import -", "no key on standard input"),
        ("printf garbage | $CLI keys import -", "not a private key"),
        ("yes | $CLI keys import -", "too large"),
        ("$CLI keys import <(yes)", "too large"),
    ],
)
def test_a_stdin_without_a_key_is_named(offline: Cli, script: str, sentence: str) -> None:
    done = shell(offline, script)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_store_that_cannot_be_written_is_told(offline: Cli, tmp_path: Path) -> None:
    source = keygen(tmp_path / "source")
    done = shell(offline, f"ulimit -f 0; exec $CLI --insecure-storage keys import {shlex.quote(str(source))}")
    assert done.returncode == 9
    assert not list((offline.home / "state" / "data" / "keys").iterdir())
    assert json.loads(offline("keys", "list", "--json").stdout) == []


# Export


def test_the_public_key_is_printed_freely(offline: Cli, key: DeviceKey, tmp_path: Path) -> None:
    stored(offline).write_text("the store is not opened")
    done = offline("keys", "export", "--public")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{key.public_key}\n", "")
    path = tmp_path / "key.pub"
    assert offline("keys", "export", "--public", "-o", str(path)).returncode == 0
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (f"{key.public_key}\n", 0o644)
    assert offline("keys", "export", "--public", "-o", str(path)).returncode == 2


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--yes"], "not printed unasked"),
        (["-o", "FILE"], "needs a yes"),
        (["-o", "-"], "needs a yes"),
        (["-o", "FILE", "--yes", "--passphrase"], "at a terminal"),
        (["--public", "--passphrase"], "not encrypted"),
    ],
    ids=" ".join,
)
def test_a_private_key_is_not_exported_unasked(
    offline: Cli, key: DeviceKey, tmp_path: Path, args: list[str], sentence: str
) -> None:
    path = tmp_path / "copy"
    done = offline("keys", "export", *(str(path) if word == "FILE" else word for word in args))
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert not path.exists()


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("", 1)], ids=["yes", "nothing"])
def test_a_terminal_is_asked(offline: Cli, key: DeviceKey, tmp_path: Path, answer: str, status: int) -> None:
    path = tmp_path / "copy"
    child = pexpect_child(offline, "keys", "export", "-o", str(path))
    child.expect("Write the private key SHA256:.* to ")
    child.sendline(answer)
    assert finish(child)[0] == status
    assert path.exists() == (status == 0)


def test_a_passphrase_is_put_on_it(offline: Cli, key: DeviceKey, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    child = pexpect_child(offline, "keys", "export", "-o", str(path), "--yes", "--passphrase")
    for number, typed in enumerate(["one", "another", PASSPHRASE, PASSPHRASE]):
        child.expect("again: " if number % 2 else "New passphrase: ")
        child.sendline(typed)
    assert finish(child)[0] == 0
    assert "not the same" in printed(child)
    assert opened(path) is None
    assert opened(path, PASSPHRASE) == key.public_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not found({"passphrase": PASSPHRASE.encode()}, printed(child).encode())


@pytest.mark.parametrize("typed", [["a", "b"] * 3, [""]], ids=["three times", "nothing"])
def test_without_a_passphrase_typed_twice_nothing_is_exported(
    offline: Cli, key: DeviceKey, tmp_path: Path, typed: list[str]
) -> None:
    child = pexpect_child(offline, "keys", "export", "-o", str(tmp_path / "copy"), "--yes", "--passphrase")
    for number, text in enumerate(typed):
        child.expect("again: " if number % 2 else "New passphrase: ")
        child.sendline(text)
    assert finish(child)[0] == 2
    assert names(tmp_path) == ["home"]


def test_a_passphrase_that_is_too_long_is_named(offline: Cli, key: DeviceKey, tmp_path: Path) -> None:
    child = pexpect_child(offline, "keys", "export", "-o", str(tmp_path / "copy"), "--yes", "--passphrase")
    for question in ("New passphrase: ", "again: "):
        child.expect(question)
        child.sendline("x" * 1024)
    assert finish(child)[0] == 2
    assert "1023 bytes" in printed(child)
    assert names(tmp_path) == ["home"]


def test_without_a_key_it_says_so(offline: Cli) -> None:
    for args in (["--public"], ["-o", "-", "--yes"]):
        done = offline("keys", "export", *args)
        assert (done.returncode, done.stdout) == (4, "")
        assert "no key yet" in done.stderr


def test_a_file_is_replaced_only_when_that_is_asked_for(offline: Cli, key: DeviceKey, tmp_path: Path) -> None:
    path, target = tmp_path / "copy", tmp_path / "target"
    for make in (lambda: path.write_text("before"), lambda: path.symlink_to(target)):
        make()
        done = offline("keys", "export", "-o", str(path), "--yes")
        assert done.returncode == 2
        assert "not overwritten" in done.stderr
        assert not target.exists()
        if not path.is_symlink():
            assert path.read_text() == "before"
            path.unlink()
    target.write_text("before")
    target.chmod(0o644)
    assert offline("keys", "export", "-o", str(path), "--yes", "--force").returncode == 0
    assert path.is_symlink()
    assert opened(target) == key.public_key
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert names(tmp_path) == ["copy", "home", "target"]


@pytest.mark.parametrize(
    "place", ["/dev/null", "FOLDER", "FOLDER/none/copy", "FOLDER/file/copy", "FOLDER/" + "x" * 300]
)
def test_a_file_that_cannot_be_made_is_told_before_anything_is_asked(
    offline: Cli, key: DeviceKey, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    place = place.replace("FOLDER", str(tmp_path))
    done = offline("keys", "export", "-o", place, "--force", "--yes")
    assert done.returncode == 2
    assert place[:200] in done.stderr
    assert names(tmp_path) == ["file", "home"]


@needs_a_user
def test_a_folder_that_cannot_be_written_is_told(offline: Cli, key: DeviceKey, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)
    command = [*AS_A_USER, COMMAND, "keys", "export", "-o", str(folder / "copy"), "--yes"]
    done = subprocess.run(command, env=offline.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Permission denied" in done.stderr


def test_a_full_disk_is_told_and_leaves_nothing(offline: Cli, key: DeviceKey, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    for force in ("", "--force"):
        done = shell(offline, f"ulimit -f 0; exec $CLI keys export --yes {force} -o {shlex.quote(str(path))}")
        assert done.returncode == 1
        assert "cannot be written" in done.stderr
        assert (path.read_text() if path.exists() else "before") == "before"
        assert len(names(tmp_path)) == 1 + path.exists()
        path.write_text("before")
    assert shell(offline, "$CLI keys export --yes -o - >/dev/full").returncode == 1


# The installed Ollama's key


@pytest.mark.parametrize("through", ["file", "stdin"])
def test_the_installed_ollama_s_key_is_known_as_that(offline: Cli, tmp_path: Path, through: str) -> None:
    ollama = offline.home / ".ollama" / "id_ed25519"
    ollama.parent.mkdir()
    keygen(ollama)
    before = ollama.read_bytes()
    done = take_in(offline, ollama) if through == "file" else take_in(offline, "-", stdin=before)
    assert done.returncode == 0
    assert "installed Ollama's key too" in done.stderr
    assert own(offline)["shared_with"] == "ollama"
    assert ollama.read_bytes() == before
    again = offline("--insecure-storage", "signin", "--use-ollama-key", "--no-wait")
    assert "both are one device" in again.stderr


@pytest.mark.parametrize("through", ["file", "stdout"])
def test_a_key_that_ollama_is_given_is_both_s_from_then_on(signed_in: Cli, sandbox: Sandbox, through: str) -> None:
    ollama = signed_in.home / ".ollama" / "id_ed25519"
    ollama.parent.mkdir()
    keygen(ollama)
    before = json.loads(signed_in("status", "--json").stdout)
    if through == "file":
        done = signed_in("keys", "export", "--yes", "--force", "-o", str(ollama))
    else:
        done = shell(signed_in, f"$CLI keys export --yes -o - >{shlex.quote(str(ollama))}")
    assert done.returncode == 0
    assert "both are one device" in done.stderr
    assert opened(ollama) == own(signed_in)["public_key"]
    after = json.loads(signed_in("status", "--json").stdout)
    assert (after["fingerprint"], after["made"]) == (before["fingerprint"], before["made"])
    assert own(signed_in)["shared_with"] == "ollama"
    out = signed_in("signout")
    assert out.returncode == 0
    assert "signs Ollama out as well" in out.stderr


def test_a_file_of_ollama_s_that_cannot_be_read_is_nobody_s_key(offline: Cli, tmp_path: Path) -> None:
    (offline.home / ".ollama" / "id_ed25519").mkdir(parents=True)
    done = take_in(offline, keygen(tmp_path / "source"))
    assert done.returncode == 0
    assert own(offline)["shared_with"] is None


# The age of a key


def test_status_tells_how_old_the_key_is(signed_in: Cli) -> None:
    index = signed_in.home / "state" / "data" / "credentials.json"
    content = json.loads(index.read_text())
    content["credentials"][0]["created_at"] = 1_000_000_000
    index.write_text(json.dumps(content))
    (line,) = [line for line in signed_in("status").stdout.splitlines() if line.startswith("Made")]
    assert re.fullmatch(r"Made +\d\d years ago", line)
    assert json.loads(signed_in("status", "--json").stdout)["made"] == own(signed_in)["made"]
    assert json.loads(signed_in("status", "--json", env={"OLLAMA_API_KEY": "x"}).stdout)["made"] is None


# Nowhere else


def test_the_private_half_is_seen_nowhere_else(offline: Cli, tmp_path: Path) -> None:
    offline.environment["TMPDIR"] = str(offline.home)
    source = keygen(offline.home / "source", "-C", "")
    copy = offline.home / "copy"
    secrets = {"key": private_half(source.read_text())}
    text = source.read_text()
    seen = b""
    for args, stdin in (
        (["keys", "import", "-"], text[:-60]),
        (["keys", "import", text], None),
        (["keys", "import", "".join(text.splitlines()[1:-1])], None),
        (["keys", "export", "--yes", "-o", text], None),
        (["keys", "export", "--yes", "-o", "".join(text.splitlines()[1:-1])], None),
        (["keys", "import", "-"], text),
        (["keys", "import", str(source), "--json"], None),
        (["keys", "export", "--public"], None),
        (["keys", "export", "--yes"], None),
        (["keys", "export", "--yes", "-o", str(offline.home / "none" / "copy")], None),
        (["keys", "export", "--yes", "-o", str(copy)], None),
        (["keys", "export", "--yes", "-o", str(copy)], None),
        (["keys", "list", "--json"], None),
    ):
        done = offline("--debug", "--insecure-storage", *args, stdin=stdin)
        seen += f"{done.stdout}{done.stderr}".encode()
    asked = Terminal(offline, "--debug", "keys", "export", "-o", str(offline.home / "encrypted"), "--passphrase")
    for question, answer in (("Write the private key", "y"), ("New passphrase:", PASSPHRASE), ("again:", PASSPHRASE)):
        asked.until_text(question)
        asked.type(f"{answer}\r")
    assert asked.end() == 0
    secrets["passphrase"] = PASSPHRASE.encode()
    assert not found(secrets, seen + asked.sent)
    kept = stored(offline).relative_to(offline.home)
    assert found_below(secrets, offline.home) == {("key", "source"), ("key", "copy"), ("key", str(kept))}
