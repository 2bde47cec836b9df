"""The file store: readable by its owner alone, written whole or not at all."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_cli import DeviceKey
from ollama_cli.credentials.file_store import FileStore
from ollama_cli.credentials.files import write_atomically
from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.errors import StoreError
from ollama_cli.secret import Secret

ENTRY = "default@https://ollama.com"
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@posix
def test_a_secret_s_file_and_folder_are_their_owner_s_alone(tmp_path: Path) -> None:
    FileStore(tmp_path / "data" / "keys").put(ENTRY, Secret("s"))
    (path,) = files_in(tmp_path)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700


@posix
def test_an_overwritten_file_is_its_owner_s_alone_whatever_it_was(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "keys")
    store.put(ENTRY, Secret("first"))
    (path,) = files_in(tmp_path)
    path.chmod(0o644)
    store.put(ENTRY, Secret("second"))
    assert mode(path) == 0o600


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "keys")
    for text in ("first", "second"):
        store.put(ENTRY, Secret(text))
    assert len(files_in(tmp_path)) == 1
    store.delete(ENTRY)
    assert files_in(tmp_path) == []


def test_a_secret_that_a_kill_left_half_written_is_deleted_too(tmp_path: Path) -> None:
    """A store that is killed while it writes leaves a temporary file, which holds the secret."""
    store = FileStore(tmp_path / "keys")
    store.put(ENTRY, Secret("first"))
    (path,) = files_in(tmp_path)
    path.with_name(f".{path.name}.x1y2z3").write_text("second", encoding="utf-8")
    store.delete(ENTRY)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("entry", ["../outside@x", "/etc/x@y", "a/b@c", "default@https://x/../../y", "n\x00ul@x"])
def test_an_entry_s_file_stands_in_the_folder_whatever_its_name(tmp_path: Path, entry: str) -> None:
    store = FileStore(tmp_path / "keys")
    store.put(entry, Secret("s"))
    (path,) = files_in(tmp_path)
    assert path.parent == tmp_path / "keys"
    assert store.get(entry) == Secret("s")


def uses(store: FileStore) -> list[Callable[[], object]]:
    return [lambda: store.put(ENTRY, Secret("s3cr3t")), lambda: store.get(ENTRY), lambda: store.delete(ENTRY)]


def test_a_file_in_the_folder_s_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("in the way", encoding="utf-8")
    store = FileStore(tmp_path / "keys")
    for use in uses(store):
        with pytest.raises(StoreError) as caught:
            use()
        assert caught.value.status == 9
        assert "s3cr3t" not in caught.value.message
    assert (tmp_path / "keys").read_text(encoding="utf-8") == "in the way"


def test_a_folder_in_the_file_s_way_is_an_error_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "keys")
    store.put(ENTRY, Secret("s"))
    (path,) = files_in(tmp_path)
    path.unlink()
    (path / "sub").mkdir(parents=True)
    for use in uses(store):
        with pytest.raises(StoreError):
            use()
    assert files_in(tmp_path) == []


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "keys")
    store.put(ENTRY, Secret("s"))
    (path,) = files_in(tmp_path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match="not text"):
        store.get(ENTRY)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert files_in(tmp_path) == [path]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "file"
    write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert files_in(tmp_path) == [path]


def test_a_list_that_another_process_holds_is_an_error_in_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    with CredentialIndex(path).locked():
        with pytest.raises(StoreError) as caught, CredentialIndex(path, lock_seconds=0.1).locked():
            pass
        assert caught.value.code == "store_busy"
    with CredentialIndex(path, lock_seconds=0.1).locked():
        pass


@posix
def test_the_list_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "credentials.json"
    CredentialIndex(path).add("default", "https://ollama.com", "file", "ssh-ed25519 AAAA")
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700


def test_a_key_that_is_stored_anew_is_listed_once(tmp_path: Path) -> None:
    index = CredentialIndex(tmp_path / "credentials.json")
    keys = [DeviceKey.generate().public_key for _ in range(2)]
    for public_key in keys:
        index.add("default", "https://ollama.com", "file", public_key)
    found = index.find("default", "https://ollama.com")
    assert found is not None
    assert found.public_key == keys[1]
    index.remove(found)
    assert index.find("default", "https://ollama.com") is None
