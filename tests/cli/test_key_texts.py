"""Keys that are encrypted, empty, damaged or of another kind: named, and never overwritten."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import sign_in
from support import Cli, Sandbox
from terminals import finish, pexpect_child, printed

pytestmark = pytest.mark.forked

MODEL = "gpt-oss:120b-cloud"
PASSPHRASE = "correct horse"


def keygen(path: Path, *args: str, passphrase: str = "") -> str:
    """A private key that ssh-keygen makes."""
    subprocess.run(["ssh-keygen", "-q", "-N", passphrase, "-f", str(path), *args], check=True)
    return path.read_text()


def encrypted(folder: Path) -> Path:
    path = folder / "encrypted"
    keygen(path, "-t", "ed25519", passphrase=PASSPHRASE)
    return path


def damaged(folder: Path) -> str:
    lines = keygen(folder / "k", "-t", "ed25519").splitlines()
    return "\n".join([lines[0], lines[1][:-8], *lines[2:]])


PKCS8 = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
"""
PUTTY = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\n"

TEXTS: dict[str, tuple[Callable[[Path], str], str]] = {
    "empty": (lambda _: "", "empty"),
    "blank": (lambda _: " \n\n", "empty"),
    "text": (lambda _: "not a key", "not a private key"),
    "damaged": (damaged, "damaged"),
    "rsa": (lambda folder: keygen(folder / "k", "-t", "rsa", "-b", "2048"), "another kind"),
    "ecdsa": (lambda folder: keygen(folder / "k", "-t", "ecdsa"), "another kind"),
    "rsa-pem": (lambda folder: keygen(folder / "k", "-t", "rsa", "-b", "2048", "-m", "PEM"), "an RSA key"),
    "public": (lambda folder: keygen(folder / "k", "-t", "ed25519") and (folder / "k.pub").read_text(), "a public key"),
    "putty": (lambda _: PUTTY, "PuTTY"),
    "pkcs8": (lambda _: PKCS8, "PKCS #8"),
    "encrypted": (lambda folder: encrypted(folder).read_text(), "encrypted with a passphrase"),
}

texts = pytest.mark.parametrize("kind", TEXTS)


def hides(text: str, shown: str) -> bool:
    return not [line for line in text.splitlines()[1:-1] if len(line) > 20 and line in shown]


@texts
def test_a_key_file_that_cannot_be_used_is_named(device: Cli, tmp_path: Path, kind: str) -> None:
    make, sentence = TEXTS[kind]
    path = tmp_path / "key-file"
    path.write_text(make(tmp_path))
    done = device("--key-file", str(path), "run", MODEL, "hi")
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert sentence in done.stderr
    assert hides(path.read_text(), done.stderr)


@pytest.mark.parametrize("kind", sorted(set(TEXTS) - {"empty", "blank"}))  # an empty variable is an unset one
def test_a_key_in_the_environment_that_cannot_be_used_is_named(device: Cli, tmp_path: Path, kind: str) -> None:
    make, sentence = TEXTS[kind]
    text = make(tmp_path)
    done = device("status", env={"OLLAMA_CLI_KEY": text})
    assert done.returncode == 2
    assert "OLLAMA_CLI_KEY" in done.stderr
    assert sentence in done.stderr
    assert hides(text, done.stderr)


@texts
def test_a_stored_key_that_cannot_be_used_is_named_and_kept(
    device: Cli, sandbox: Sandbox, tmp_path: Path, kind: str
) -> None:
    device("--insecure-storage", "signin", "--no-wait")
    make, sentence = TEXTS[kind]
    (path,) = (device.home / "state" / "data" / "keys").iterdir()
    text = make(tmp_path)
    path.write_text(text)
    for args in (["signin"], ["signout"]):
        done = device("--insecure-storage", *args)
        assert done.returncode == 9
        assert sentence in done.stderr
        assert "left as it is" in done.stderr
        assert hides(text, done.stderr)
    assert path.read_text() == text


# The passphrase


def test_a_key_file_s_passphrase_is_asked_for_once_and_not_shown(device: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    path = encrypted(tmp_path)
    child = pexpect_child(device, "--key-file", str(path), "status")
    child.expect(f"Passphrase for --key-file {path}: ")
    child.sendline("wrong")
    child.expect("That does not open it")
    child.sendline(PASSPHRASE)
    status, _ = finish(child)
    assert status == 4  # it opens; nobody has approved this key yet
    assert "not signed in" in printed(child)
    assert printed(child).count("Passphrase for") == 2
    assert PASSPHRASE not in printed(child)


def test_a_passphrase_in_the_environment_s_key_is_asked_for(device: Cli, tmp_path: Path) -> None:
    device.environment["OLLAMA_CLI_KEY"] = encrypted(tmp_path).read_text()
    child = pexpect_child(device, "status")
    child.expect("Passphrase for OLLAMA_CLI_KEY: ")
    child.sendline(PASSPHRASE)
    assert finish(child)[0] == 4


@pytest.mark.parametrize("typed", [["wrong"] * 3, [""], ["\x04"]], ids=["three tries", "nothing", "end of input"])
def test_a_passphrase_that_is_not_given_is_an_error(device: Cli, tmp_path: Path, typed: list[str]) -> None:
    child = pexpect_child(device, "--key-file", str(encrypted(tmp_path)), "status")
    for text in typed:
        child.expect("Passphrase for ")
        child.send(text if text == "\x04" else f"{text}\r")
    status, shown = finish(child)
    assert status == 2
    assert "was not given" in shown


def test_ctrl_c_at_the_question_ends_it_and_leaves_the_terminal_as_it_was(device: Cli, tmp_path: Path) -> None:
    child = pexpect_child(device, "--key-file", str(encrypted(tmp_path)), "status")
    child.expect("Passphrase for ")
    child.sendintr()
    assert finish(child)[0] == 130


def test_a_stored_key_with_a_passphrase_is_used_once_it_is_opened(device: Cli, sandbox: Sandbox) -> None:
    sign_in(device, sandbox)
    (path,) = (device.home / "state" / "data" / "keys").iterdir()
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", str(path)], check=True)
    text = path.read_text()
    child = pexpect_child(device, "status")
    child.expect("Passphrase for the key in a file in ")
    child.sendline(PASSPHRASE)
    assert finish(child)[0] == 0
    assert path.read_text() == text


@pytest.mark.parametrize("cipher", ["aes256-ctr", "aes256-cbc", "aes256-gcm@openssh.com"])
def test_a_wrong_passphrase_is_told_whatever_the_cipher(device: Cli, tmp_path: Path, cipher: str) -> None:
    path = tmp_path / "key"
    keygen(path, "-t", "ed25519", "-Z", cipher, passphrase=PASSPHRASE)
    child = pexpect_child(device, "--key-file", str(path), "status")
    child.expect("Passphrase for ")
    child.sendline("wrong")
    child.expect("That does not open it")
    child.sendline(PASSPHRASE)
    assert finish(child)[0] == 4


def test_a_note_about_an_encrypted_key_asks_for_no_passphrase(signed_in: Cli, tmp_path: Path) -> None:
    signed_in.environment["OLLAMA_CLI_KEY"] = encrypted(tmp_path).read_text()
    status, shown = finish(pexpect_child(signed_in, "signin"))
    assert status == 0
    assert "OLLAMA_CLI_KEY is used before" in shown
    assert "Passphrase" not in shown
