"""Stores to test: one in memory, one in files, one in a real keyring. None is this machine's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ollama_cli.credentials.file_store import FileStore
from ollama_cli.credentials.keyring_store import KeyringStore
from ollama_cli.credentials.store import CredentialStore, MemoryStore
from stores.secret_service import SecretService, secret_service


@pytest.fixture(autouse=True)
def _no_keyring_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bus, no configuration: a test that names no keyring of its own finds none."""
    home = tmp_path / "home-without-keyring"
    home.mkdir()
    for name in ("PYTHON_KEYRING_BACKEND", "DISPLAY", "WAYLAND_DISPLAY", "KEYRING_PROPERTY_APPID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local" / "share"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={home}/no-bus")


@pytest.fixture(scope="session")
def unlocked_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    """A Secret Service that is unlocked, for the whole run."""
    with secret_service(tmp_path_factory.mktemp("secrets")) as service:
        yield service


@pytest.fixture(params=["memory", "file", "keyring"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CredentialStore:
    """Each kind of store, empty."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "file":
        return FileStore(tmp_path / "keys")
    service: SecretService = request.getfixturevalue("unlocked_service")
    service.use(monkeypatch)
    _empty()
    return KeyringStore(person_present=False)


def _empty() -> None:
    from contextlib import closing

    import secretstorage

    with closing(secretstorage.dbus_init()) as connection:
        for item in list(secretstorage.get_default_collection(connection).get_all_items()):
            item.delete()
