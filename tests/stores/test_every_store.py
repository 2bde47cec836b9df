"""One suite that every store passes: the fake and the real thing behave alike."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ollama_cli import DeviceKey
from ollama_cli.credentials.credential import ApiKey, Token
from ollama_cli.credentials.file_store import FileStore
from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.credentials.keyring_store import KeyringStore
from ollama_cli.credentials.listing import entry_name
from ollama_cli.credentials.store import CredentialStore, MemoryStore
from ollama_cli.credentials.wallet import Wallet
from ollama_cli.errors import StoreError
from ollama_cli.secret import Secret
from stores.secret_service import SecretService, secret_service

ORIGIN = "https://ollama.com"
ENTRY = entry_name("default", ORIGIN)


def open_wallet(folder: Path, store: CredentialStore, profile: str = "default") -> Wallet:
    index = CredentialIndex(folder / "credentials.json", lock_seconds=10)
    return Wallet(index, lambda _: store, new_store=store.kind, profile=profile)


def test_what_was_stored_is_read(store: CredentialStore) -> None:
    store.put(ENTRY, Secret("first"))
    assert store.get(ENTRY) == Secret("first")


def test_a_missing_entry_is_none(store: CredentialStore) -> None:
    assert store.get(ENTRY) is None


def test_a_deleted_entry_is_gone(store: CredentialStore) -> None:
    store.put(ENTRY, Secret("first"))
    store.delete(ENTRY)
    assert store.get(ENTRY) is None


def test_a_missing_entry_is_deleted_without_an_error(store: CredentialStore) -> None:
    store.delete(ENTRY)
    store.put(ENTRY, Secret("first"))
    store.delete(ENTRY)
    store.delete(ENTRY)
    assert store.get(ENTRY) is None


def test_an_entry_is_overwritten_whole(store: CredentialStore) -> None:
    store.put(ENTRY, Secret("the first, and longer, secret"))
    store.put(ENTRY, Secret("second"))
    assert store.get(ENTRY) == Secret("second")


@pytest.mark.parametrize("other", ["default@https://ollama.com:8443", "default@http://ollama.com", "work@x", "../x"])
def test_entries_do_not_touch_each_other(store: CredentialStore, other: str) -> None:
    store.put(ENTRY, Secret("one"))
    store.put(other, Secret("two"))
    assert (store.get(ENTRY), store.get(other)) == (Secret("one"), Secret("two"))
    store.delete(other)
    assert (store.get(ENTRY), store.get(other)) == (Secret("one"), None)


@pytest.mark.parametrize("text", ["", "\u00e9 \u4e3b \U0001f511", "line\nline\r\n\ttab", "x" * 10_000])
def test_a_secret_comes_back_as_it_was(store: CredentialStore, text: str) -> None:
    store.put(ENTRY, Secret(text))
    assert store.get(ENTRY) == Secret(text)


def test_a_device_key_survives_its_store(store: CredentialStore) -> None:
    key = DeviceKey.generate()
    store.put(ENTRY, key.to_openssh())
    found = store.get(ENTRY)
    assert found is not None
    assert DeviceKey.from_openssh(found.reveal()).public_key == key.public_key


def test_a_store_says_what_it_is_and_shows_no_secret(store: CredentialStore) -> None:
    store.put(ENTRY, Secret("s3cr3t"))
    assert store.kind in {"memory", "file", "keyring"}
    assert store.description
    assert "s3cr3t" not in f"{store!r}{store.description}{vars(store)!r}"


# The wallet over each


def test_a_wallet_makes_a_key_once(store: CredentialStore, tmp_path: Path) -> None:
    wallet = open_wallet(tmp_path, store)
    assert wallet.find(ORIGIN) is None
    first = wallet.ensure(ORIGIN)
    assert first.source == store.description
    again = open_wallet(tmp_path, store)
    assert again.ensure(ORIGIN).credential.public_key == first.credential.public_key
    found = again.find(ORIGIN)
    assert found is not None
    assert found.credential.public_key == first.credential.public_key


def test_a_wallet_lists_its_key_without_the_private_half(store: CredentialStore, tmp_path: Path) -> None:
    wallet = open_wallet(tmp_path, store)
    key = wallet.ensure(ORIGIN).credential
    record = wallet.record(ORIGIN)
    assert record is not None
    assert (record.origin, record.store, record.public_key) == (ORIGIN, store.kind, key.public_key)
    listing = (tmp_path / "credentials.json").read_text(encoding="utf-8")
    assert "PRIVATE" not in listing
    assert not any(line in listing for line in key.to_openssh().reveal().splitlines()[1:-1])


def test_a_wallet_keeps_a_key_for_each_origin_and_profile(store: CredentialStore, tmp_path: Path) -> None:
    wallets = [open_wallet(tmp_path, store), open_wallet(tmp_path, store, profile="work")]
    origins = [ORIGIN, "http://127.0.0.1:8080"]
    keys = {wallet.ensure(origin).credential.public_key for wallet in wallets for origin in origins}
    assert len(keys) == 4


def test_a_forgotten_key_is_gone_and_the_next_is_another(store: CredentialStore, tmp_path: Path) -> None:
    wallet = open_wallet(tmp_path, store)
    first = wallet.ensure(ORIGIN).credential.public_key
    wallet.forget(ORIGIN)
    assert wallet.find(ORIGIN) is None
    assert wallet.record(ORIGIN) is None
    assert store.get(ENTRY) is None
    assert wallet.ensure(ORIGIN).credential.public_key != first


def test_forgetting_what_is_not_there_is_no_error(store: CredentialStore, tmp_path: Path) -> None:
    open_wallet(tmp_path, store).forget(ORIGIN)


def test_forgetting_one_key_leaves_the_others(store: CredentialStore, tmp_path: Path) -> None:
    wallet = open_wallet(tmp_path, store)
    wallet.ensure(ORIGIN)
    other = wallet.ensure("https://example.com").credential.public_key
    wallet.forget(ORIGIN)
    found = wallet.find("https://example.com")
    assert found is not None
    assert found.credential.public_key == other


def test_a_key_whose_list_was_lost_is_taken_up_again(store: CredentialStore, tmp_path: Path) -> None:
    first = open_wallet(tmp_path, store).ensure(ORIGIN).credential.public_key
    (tmp_path / "credentials.json").unlink()
    wallet = open_wallet(tmp_path, store)
    assert wallet.ensure(ORIGIN).credential.public_key == first
    assert wallet.record(ORIGIN) is not None


def test_a_key_that_was_listed_and_is_gone_is_made_anew(store: CredentialStore, tmp_path: Path) -> None:
    wallet = open_wallet(tmp_path, store)
    first = wallet.ensure(ORIGIN).credential.public_key
    store.delete(ENTRY)
    assert wallet.find(ORIGIN) is None
    second = wallet.ensure(ORIGIN).credential.public_key
    assert second != first
    record = wallet.record(ORIGIN)
    assert record is not None
    assert record.public_key == second


def test_an_api_key_and_a_token_are_entries_of_their_own(store: CredentialStore, tmp_path: Path) -> None:
    wallet = open_wallet(tmp_path, store, profile="work")
    wallet.secrets.put(ORIGIN, "api_key", Secret("an-api-key"))
    wallet.secrets.put(ORIGIN, "bearer", Secret("Bearer a-token"))
    key = open_wallet(tmp_path, store).ensure(ORIGIN).credential.public_key
    again = open_wallet(tmp_path, store, profile="work")
    for api_key, credential in ((True, ApiKey(Secret("an-api-key"))), (False, Token(Secret("Bearer a-token")))):
        found = again.secrets.find(ORIGIN, api_key=api_key)
        assert found is not None
        assert (found.credential, found.source) == (credential, store.description)
    with pytest.raises(StoreError) as caught:
        again.ensure(ORIGIN)
    assert caught.value.code == "store_occupied"
    assert again.secrets.forget(ORIGIN, api_key=True) is not None
    assert again.secrets.find(ORIGIN, api_key=True) is None
    assert again.secrets.find(ORIGIN, api_key=False) is not None
    assert open_wallet(tmp_path, store).ensure(ORIGIN).credential.public_key == key


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("text", ["", "garbage", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_key_is_an_error_and_never_overwritten(
    store: CredentialStore,
    tmp_path: Path,
    text: str,
    listed: bool,
) -> None:
    wallet = open_wallet(tmp_path, store)
    if listed:
        wallet.ensure(ORIGIN)
    store.put(ENTRY, Secret(text))
    for use in (wallet.ensure, wallet.find) if listed else (wallet.ensure,):
        with pytest.raises(StoreError) as caught:
            use(ORIGIN)
        assert (caught.value.code, caught.value.status) == ("stored_key_unusable", 9)
    assert store.get(ENTRY) == Secret(text)


@pytest.mark.parametrize("content", ["", "not json", "[]", "{}", '{"credentials": [{}]}', '{"credentials": 1}'])
def test_a_damaged_list_is_an_error_and_never_overwritten(store: CredentialStore, tmp_path: Path, content: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content, encoding="utf-8")
    wallet = open_wallet(tmp_path, store)
    for use in (wallet.ensure, wallet.find, wallet.forget):
        with pytest.raises(StoreError) as caught:
            use(ORIGIN)
        assert caught.value.code == "index_damaged"
    assert path.read_text(encoding="utf-8") == content
    assert store.get(ENTRY) is None


# Where the keyring cannot be used


def fail(request: pytest.FixtureRequest, fault: str, patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make it happen to the keyring of this process."""
    if fault == "no D-Bus":
        patch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={folder}/no-bus")
        return
    service = request.getfixturevalue("service_of_its_own")
    service.use(patch)
    if fault == "locked":
        service.lock()
    else:
        service.kill()


@pytest.fixture
def service_of_its_own(tmp_path: Path) -> Iterator[SecretService]:
    with secret_service(tmp_path / "secrets") as service:
        yield service


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(
    ("fault", "code"), [("locked", "store_locked"), ("daemon killed", "store_absent"), ("no D-Bus", "store_absent")]
)
@pytest.mark.parametrize("kind", ["memory", "file", "keyring"])
def test_a_fault_of_the_keyring_stops_the_keyring_alone_and_writes_nothing(
    kind: str, fault: str, code: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fail(request, fault, monkeypatch, tmp_path)
    folder = tmp_path / "data"
    stores: dict[str, CredentialStore] = {
        "memory": MemoryStore(),
        "file": FileStore(folder / "keys"),
        "keyring": KeyringStore(person_present=False),
    }
    wallet = open_wallet(folder, stores[kind])
    if kind != "keyring":
        key = wallet.ensure(ORIGIN).credential.public_key
        found = wallet.find(ORIGIN)
        assert found is not None
        assert found.credential.public_key == key
        return
    uses: list[Callable[[], object]] = [
        lambda: wallet.ensure(ORIGIN),
        lambda: stores[kind].get(ENTRY),
        lambda: stores[kind].delete(ENTRY),
    ]
    for use in uses:
        with pytest.raises(StoreError) as caught:
            use()
        assert caught.value.code == code
    gc.collect()
    assert {path.name for path in folder.rglob("*")} <= {"credentials.lock"}
