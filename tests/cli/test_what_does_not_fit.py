"""Options and files that do not fit what is there: each is refused by name, before anything is done."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from stored_credentials import entries, keep_api_key, keep_key
from support import Cli

from ollama_cli import DeviceKey
from ollama_cli.commands.create.sending import FileStep, hash_file, send_file
from ollama_cli.errors import UsageError

pytestmark = pytest.mark.forked

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def offline(cli: Cli) -> Cli:
    """The command where nothing answers."""
    cli.environment["OLLAMA_CLOUD_BASE_URL"] = NOWHERE
    return cli


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--profile", "work", "profile", "list"], "`profile` does not act as a profile"),
        (["--sandbox", "profile", "list"], "The sandbox has no profiles"),
        (["--sandbox", "signin", "--host", "https://box.example", "--token"], "The sandbox takes no token"),
        (["signout", "--host", "https://box.example"], "--token and --host go together"),
        (["signout", "--host", "https://box.example", "--token", "--cloud"], "--cloud does not go with --token"),
        (["keys", "export", "--public", "--passphrase"], "A public key is not encrypted"),
        (["keys", "export", "-o", "-", "--force"], "--force replaces a file"),
        (["keys", "rotate", "--cancel", "--no-passphrase"], "--cancel gives a rotation up"),
        (["keys", "rotate", "--cancel", "--no-wait"], "--cancel gives a rotation up"),
        (["keys", "rotate", "--no-wait", "--timeout", "3"], "--no-wait does not wait"),
        (["signin", "--no-wait", "--timeout", "0"], "--no-wait does not wait"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_contradict_each_other_are_named(offline: Cli, args: list[str], told: str) -> None:
    done = offline(*args)
    assert (done.returncode, done.stdout, told in done.stderr) == (2, "", True), done.stderr


def test_a_key_in_the_place_of_a_key_file_is_refused_and_not_repeated(offline: Cli) -> None:
    text = DeviceKey.generate().to_openssh().reveal()
    done = offline("--key-file", text, "status")
    assert (done.returncode, "is a private key itself" in done.stderr) == (2, True)
    assert text.splitlines()[2] not in done.stderr


def test_an_api_key_does_not_give_way_to_the_installed_ollamas_key(offline: Cli) -> None:
    keep_api_key(offline, NOWHERE, "an-api-key")
    kept = entries(offline)
    done = offline("signin", "--use-ollama-key", "--json")
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (9, "store_occupied")
    assert entries(offline) == kept


def test_a_key_that_turns_out_to_be_the_installed_ollamas_too_is_noted_as_that(offline: Cli) -> None:
    key = keep_key(offline, NOWHERE, "default")
    ollama = offline.home / ".ollama" / "id_ed25519"
    ollama.parent.mkdir()
    ollama.write_text(key.to_openssh().reveal(), encoding="ascii")
    done = offline("keys", "import", str(ollama))
    assert (done.returncode, "both are one device" in done.stderr) == (0, True), done.stderr
    assert json.loads(offline("keys", "show", "--json").stdout)["shared_with"] == "ollama"


def test_a_lost_key_for_another_server_is_told_of_when_a_new_one_takes_its_place(cli: Cli) -> None:
    lost = keep_key(cli, NOWHERE, "default")
    for file in (cli.home / "state" / "data" / "keys").iterdir():
        file.unlink()
    done = cli("--insecure-storage", "list", env={"OLLAMA_HOST": NOWHERE, "OLLAMA_AUTH": "1"})
    assert f"The key {lost.fingerprint} is no longer in its store" in done.stderr
    assert "That server may still know the old one" in done.stderr


def test_what_is_too_large_is_no_modelfile(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "Modelfile"
    with path.open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    done = cli("create", "m", "-f", str(path))
    assert (done.returncode, "too large for a Modelfile" in done.stderr) == (2, True)


def test_a_file_that_changes_while_its_digest_is_computed_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"x" * 100)

    def write_to_it(step: FileStep) -> None:
        if not step.completed:
            os.utime(path, ns=(1, 1))

    with pytest.raises(UsageError, match="changed while it was read"):
        hash_file(path, "model.gguf", write_to_it)


def test_a_file_that_changed_since_its_digest_was_computed_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"x" * 100)
    hashed = hash_file(path, "model.gguf", lambda _: None)
    os.utime(path, ns=(1, 1))
    sent = bytearray()

    class Daemon:
        def has_blob(self, _: str) -> bool:
            return False

        def send_blob(self, _: str, parts: object, __: int) -> None:
            for part in iter(parts):  # type: ignore[call-overload]
                sent.extend(part)

    with pytest.raises(UsageError, match="changed while it was read"):
        send_file(Daemon(), hashed, lambda _: None)  # type: ignore[arg-type]
    assert not sent
