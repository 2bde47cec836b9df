"""Windows and macOS: the real backends over imitations of what those systems document, and what we make of it."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ollama_cli import DeviceKey
from ollama_cli.credentials import keyring_store
from ollama_cli.credentials.keyring_store import KeyringStore
from ollama_cli.errors import StoreError
from ollama_cli.secret import Secret
from stores import macos, windows

ENTRY, OTHER = "default@https://ollama.com", "default@https://example.com"
SECRET = Secret("s3cr3t-t3xt")


def on(patch: pytest.MonkeyPatch, platform: str) -> Any:
    """Be on a system: what it keeps secrets in."""
    patch.setattr(keyring_store, "sys", SimpleNamespace(platform=platform))
    return (windows if platform == "win32" else macos).install(patch)


def uses(store: KeyringStore) -> list[Callable[[], object]]:
    return [lambda: store.get(ENTRY), lambda: store.put(ENTRY, SECRET), lambda: store.delete(ENTRY)]


def failures(store: KeyringStore) -> set[tuple[str, str]]:
    """Code and sentence of what each method raises."""
    told = set()
    for use in uses(store):
        with pytest.raises(StoreError) as caught:
            use()
        error = caught.value
        assert error.status == 9
        assert error.hint is not None
        assert "--insecure-storage" in error.hint
        assert SECRET.reveal() not in error.message + error.hint
        told.add((error.code, error.message))
    return told


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_a_key_is_stored_read_overwritten_and_deleted(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    on(monkeypatch, platform)
    store = KeyringStore(person_present=False)
    assert store.get(ENTRY) is None
    store.delete(ENTRY)
    for text in (DeviceKey.generate().to_openssh(), SECRET):
        store.put(ENTRY, text)
        assert store.get(ENTRY) == text
    store.put(OTHER, Secret("other"))
    assert (store.get(ENTRY), store.get(OTHER)) == (SECRET, Secret("other"))
    store.put(ENTRY, Secret("again"))
    store.delete(OTHER)
    store.delete(OTHER)
    assert (store.get(ENTRY), store.get(OTHER)) == (Secret("again"), None)


@pytest.mark.parametrize(
    ("platform", "number", "code", "sentence"),
    [
        ("win32", 1312, "store_absent", "no credentials for this kind of session"),
        ("win32", 1223, "store_dismissed", "closed without an answer"),
        ("win32", 5, "store_denied", "denies access"),
        ("win32", 8, "store_failed", "failed"),
        ("darwin", -128, "store_dismissed", "closed without an answer"),
        ("darwin", -25308, "store_locked", "over SSH"),
        ("darwin", -25293, "store_denied", "denies access"),
        ("darwin", -67030, "store_denied", "denies access"),
        ("darwin", -25307, "store_absent", "no keychain"),
        ("darwin", -50, "store_failed", "failed"),
    ],
)
def test_a_documented_error_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, platform: str, number: int, code: str, sentence: str
) -> None:
    place = on(monkeypatch, platform)
    store = KeyringStore(person_present=False)
    store.put(ENTRY, SECRET)
    place.fails_with = number
    told = failures(store)
    assert {found for found, _ in told} == {code}
    assert all(sentence in message for _, message in told)
    place.fails_with = 0
    assert store.get(ENTRY) == SECRET


def test_the_key_fits_where_windows_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice over, so that a passphrase's cipher may add to it."""
    assert 2 * len(DeviceKey.generate().to_openssh().reveal().encode("utf-16-le")) < windows.BYTES


@pytest.mark.parametrize("text", ["x" * 1281, "\U0001f511" * 641])
def test_what_does_not_fit_there_is_told_before_anything_is_written(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    manager = on(monkeypatch, "win32")
    store = KeyringStore(person_present=False)
    store.put(OTHER, Secret("x" * 1280))
    before = dict(manager.kept)
    with pytest.raises(StoreError) as caught:
        store.put(ENTRY, Secret(text))
    assert caught.value.code == "store_too_small"
    assert manager.kept == before


def test_an_entry_that_another_process_deletes_first_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    keychain = on(monkeypatch, "darwin")
    store = KeyringStore(person_present=False)
    store.put(ENTRY, SECRET)
    from keyring.backends.macOS import api

    def faster(query: dict[str, Any]) -> int:
        keychain.delete(query)
        return macos.NOT_FOUND

    monkeypatch.setattr(api, "SecItemDelete", faster)
    store.delete(ENTRY)
    assert store.get(ENTRY) is None


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_the_backend_is_named_and_not_searched_for(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    from keyring import backend, core

    def search() -> list[type[backend.KeyringBackend]]:
        raise AssertionError("searched")

    named = []
    monkeypatch.setattr(backend, "get_all_keyring", search)
    monkeypatch.setattr(keyring_store, "sys", SimpleNamespace(platform=platform))
    load = core.load_keyring

    def note(name: str) -> backend.KeyringBackend:
        named.append(name)
        return load("stores.backends.Kept")

    monkeypatch.setattr(core, "load_keyring", note)
    KeyringStore(person_present=False).get(ENTRY)
    names = {"win32": "Windows.WinVaultKeyring", "darwin": "macOS.Keyring", "linux": "SecretService.Keyring"}
    assert named == [f"keyring.backends.{names[platform]}"]


# KWallet, by its own interface on D-Bus, which the keyring package uses through dbus-python


class KWallet:
    """A wallet that is open, or that the person did not open."""

    def __init__(self, *, opened: bool) -> None:
        self.handle = 1 if opened else -1
        self.kept: dict[tuple[str, str], str] = {}

    def networkWallet(self) -> str:  # noqa: N802 - the names of the interface
        return "kdewallet"

    def open(self, *_: object) -> int:
        return self.handle

    def isOpen(self, _: int) -> bool:  # noqa: N802
        return True

    def hasFolder(self, *_: object) -> bool:  # noqa: N802
        return False

    def hasEntry(self, _: int, folder: str, name: str, __: str) -> bool:  # noqa: N802
        return (folder, name) in self.kept

    def readPassword(self, _: int, folder: str, name: str, __: str) -> str:  # noqa: N802
        return self.kept[folder, name]

    def writePassword(self, _: int, folder: str, name: str, password: str, __: str) -> None:  # noqa: N802
        self.kept[folder, name] = password

    def removeEntry(self, _: int, folder: str, name: str, __: str) -> None:  # noqa: N802
        del self.kept[folder, name]


def use_kwallet(patch: pytest.MonkeyPatch, wallet: KWallet) -> None:
    """Have it answer on the session's bus, and configure it."""
    name = "org.kde.kwalletd5"
    bus = SimpleNamespace(
        name_has_owner=lambda asked: asked == name,
        list_activatable_names=lambda: [name],
        get_object=lambda *_: wallet,
    )
    dbus, mainloop, glib = ModuleType("dbus"), ModuleType("dbus.mainloop"), ModuleType("dbus.mainloop.glib")
    vars(dbus).update(
        SessionBus=lambda **_: bus, Interface=lambda thing, _: thing, DBusException=type("DBusException", (), {})
    )
    vars(glib)["DBusGMainLoop"] = object
    for module in (dbus, mainloop, glib):
        patch.setitem(sys.modules, module.__name__, module)
    patch.delitem(sys.modules, "keyring.backends.kwallet", raising=False)
    patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.kwallet.DBusKeyring")


def test_a_kwallet_that_is_configured_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = KWallet(opened=True)
    use_kwallet(monkeypatch, wallet)
    store = KeyringStore(person_present=False)
    store.put(ENTRY, SECRET)
    assert list(wallet.kept.values()) == [SECRET.reveal()]
    assert store.get(ENTRY) == SECRET
    store.delete(ENTRY)
    assert wallet.kept == {}


def test_a_kwallet_that_the_person_does_not_open_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    use_kwallet(monkeypatch, KWallet(opened=False))
    assert {code for code, _ in failures(KeyringStore(person_present=True))} == {"store_dismissed"}


def test_a_kwallet_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbus", None)
    monkeypatch.delitem(sys.modules, "keyring.backends.kwallet", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.kwallet.DBusKeyring")
    told = failures(KeyringStore(person_present=True))
    assert {code for code, _ in told} == {"store_absent"}
    assert all("configured" in message for _, message in told)
