"""A keyring that cannot be used is an error that names the ways out, in bounded time, and never a plaintext file."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ollama_cli.credentials import keyring_store
from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.credentials.keyring_store import SERVICE, KeyringStore
from ollama_cli.credentials.wallet import Wallet
from ollama_cli.errors import StoreError
from ollama_cli.secret import Secret
from stores.prompter import prompter
from stores.secret_service import SecretService, secret_service

ENTRY = "default@https://ollama.com"
SECRET = Secret("s3cr3t-t3xt")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's")

leaves_connections_open = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def named(patch: pytest.MonkeyPatch, backend: str) -> KeyringStore:
    patch.setenv("PYTHON_KEYRING_BACKEND", backend)
    return KeyringStore(person_present=False, seconds=20)


def failures(store: KeyringStore) -> list[StoreError]:
    """The error of each of a store's methods."""
    caught: list[StoreError] = []
    uses: list[Callable[[], object]] = [
        lambda: store.get(ENTRY),
        lambda: store.put(ENTRY, SECRET),
        lambda: store.delete(ENTRY),
    ]
    for use in uses:
        with pytest.raises(StoreError) as failure:
            use()
        caught.append(failure.value)
    for error in caught:
        assert error.status == 9
        assert error.hint is not None
        assert "--insecure-storage" in error.hint
        assert SECRET.reveal() not in f"{error.message}{error.hint}"
    return caught


def codes(store: KeyringStore) -> set[str]:
    found = {error.code for error in failures(store)}
    gc.collect()  # keyring leaves its connection open where it fails: closed now, while that may be ignored
    return found


def test_without_a_bus_the_keyring_is_absent() -> None:
    assert codes(KeyringStore(person_present=False)) == {"store_absent"}
    assert codes(KeyringStore(person_present=True)) == {"store_absent"}


def test_without_an_address_of_a_bus_the_keyring_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    assert codes(KeyringStore(person_present=False)) == {"store_absent"}


@leaves_connections_open
@pytest.mark.parametrize("person_present", [False, True])
def test_a_locked_keyring_is_told_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    person_present: bool,
) -> None:
    """Nothing here could show a question, so that even with a person present nobody is waited for."""
    with secret_service(tmp_path / "secrets") as service:
        service.use(monkeypatch)
        store = KeyringStore(person_present=person_present, seconds=600)
        store.put(ENTRY, SECRET)
        service.lock()
        assert codes(store) == {"store_locked"}
        assert codes(KeyringStore(person_present=person_present, seconds=600)) == {"store_locked"}


@pytest.fixture
def locked_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretService]:
    """A Secret Service that a screen lock has locked."""
    with secret_service(tmp_path / "secrets") as service:
        service.use(monkeypatch)
        service.lock()
        yield service
    for thread in threading.enumerate():
        if thread.name == "keyring":  # one that was given up: it ends with the bus
            thread.join(10)
    gc.collect()


@leaves_connections_open
def test_a_question_that_the_person_closes_is_told(locked_service: SecretService) -> None:
    with prompter(locked_service.address, closes=True) as asked:
        assert codes(KeyringStore(person_present=True, has_display=True, seconds=20)) == {"store_dismissed"}
        assert asked.is_set()


def test_a_script_makes_no_window_open(locked_service: SecretService) -> None:
    with prompter(locked_service.address, closes=True) as asked:
        assert codes(KeyringStore(person_present=False, has_display=True, seconds=20)) == {"store_locked"}
        assert not asked.is_set()


@leaves_connections_open
def test_a_question_that_stays_open_is_waited_for_in_bounded_time_and_told(
    locked_service: SecretService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_store, "SECONDS_BEFORE_A_NOTE", 0.1)
    told: list[str] = []
    with prompter(locked_service.address, closes=False) as asked:
        store = KeyringStore(
            person_present=True, has_display=True, seconds=1.0, tell_waiting=lambda: told.append("waiting")
        )
        with pytest.raises(StoreError) as caught:
            store.get(ENTRY)
        assert asked.is_set()
    assert (caught.value.code, told) == ("store_slow", ["waiting"])


@leaves_connections_open
def test_a_keyring_that_is_killed_is_absent(locked_service: SecretService) -> None:
    """Its bus lives on, and says that nobody has the name any more."""
    locked_service.kill()
    for person_present in (False, True):
        assert codes(KeyringStore(person_present=person_present, seconds=20)) == {"store_absent"}


@leaves_connections_open
def test_a_keyring_that_is_killed_while_it_asks_is_given_up(locked_service: SecretService) -> None:
    with prompter(locked_service.address, closes=False) as asked:

        def kill() -> None:
            asked.wait(20)
            locked_service.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(StoreError) as caught:
            KeyringStore(person_present=True, has_display=True, seconds=2).get(ENTRY)
        killer.join()
    assert caught.value.code == "store_slow"


@leaves_connections_open
def test_a_first_password_that_the_person_does_not_choose_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secret_service(tmp_path / "secrets", unlocked=False) as service, prompter(service.address, closes=True):
        service.use(monkeypatch)
        store = KeyringStore(person_present=True, has_display=True, seconds=20)
        assert codes(store) == {"store_dismissed"}


@leaves_connections_open
def test_a_keyring_without_any_collection_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secret_service(tmp_path / "secrets", unlocked=False) as service:
        service.use(monkeypatch)
        assert codes(KeyringStore(person_present=False, seconds=20)) == {"store_unavailable"}


@leaves_connections_open
def test_a_keyring_that_ends_between_two_calls_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secret_service(tmp_path / "secrets") as service:
        service.use(monkeypatch)
        store = KeyringStore(person_present=False, seconds=20)
        store.put(ENTRY, SECRET)
    assert codes(store) == {"store_absent"}


def test_a_failing_keyring_makes_no_key_and_no_list(tmp_path: Path) -> None:
    index = CredentialIndex(tmp_path / "data" / "credentials.json", lock_seconds=10)
    wallet = Wallet(index, lambda _: KeyringStore(person_present=False), new_store="keyring")
    with pytest.raises(StoreError):
        wallet.ensure("https://ollama.com")
    assert wallet.record("https://ollama.com") is None
    written = [path.name for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert written in ([], ["credentials.lock"])


# Backends that a user may have configured


def test_a_sound_backend_that_is_configured_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from stores.backends import Kept

    monkeypatch.setattr(Kept, "kept", {})
    store = named(monkeypatch, "stores.backends.Kept")
    store.put(ENTRY, SECRET)
    assert {(SERVICE, ENTRY): SECRET.reveal()} == Kept.kept
    assert store.get(ENTRY) == SECRET
    store.delete(ENTRY)
    store.delete(ENTRY)
    assert store.get(ENTRY) is None


def test_a_backend_in_the_user_s_configuration_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "home-without-keyring" / ".config" / "python_keyring"
    folder.mkdir(parents=True)
    (folder / "keyringrc.cfg").write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n", "utf-8")
    assert codes(KeyringStore(person_present=False)) == {"store_null"}


@pytest.mark.parametrize(
    ("backend", "code"),
    [
        ("keyring.backends.null.Keyring", "store_null"),
        ("keyring.backends.fail.Keyring", "store_absent"),
        ("stores.backends.PlaintextKeyring", "store_plaintext"),
        ("keyrings.alt.file.PlaintextKeyring", "store_plaintext"),
    ],
)
def test_a_backend_that_keeps_nothing_or_keeps_it_readable_is_refused(
    monkeypatch: pytest.MonkeyPatch, backend: str, code: str
) -> None:
    assert codes(named(monkeypatch, backend)) == {code}


def test_a_plaintext_backend_that_is_installed_is_never_found_by_itself(tmp_path: Path) -> None:
    """Keyring's own search would take it where no keyring runs, and write a readable file."""
    from keyrings.alt.file import PlaintextKeyring

    assert PlaintextKeyring.priority > 0
    assert codes(KeyringStore(person_present=False)) == {"store_absent"}
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("backend", ["no.such.module.Keyring", "stores.backends.Missing", "nonsense"])
def test_a_backend_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    assert codes(named(monkeypatch, backend)) <= {"store_absent", "store_failed"}


@pytest.mark.parametrize("backend", ["Forgetful", "Truncating"])
def test_a_backend_that_does_not_give_back_what_it_took_is_found_out(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    with pytest.raises(StoreError) as caught:
        named(monkeypatch, f"stores.backends.{backend}").put(ENTRY, SECRET)
    assert caught.value.code == "store_forgets"


def test_an_error_of_a_backend_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes(named(monkeypatch, "stores.backends.Talkative")) == {"store_failed"}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyringStore]:
    """A store whose keyring waits; it is let go with the test."""
    from stores import backends

    backends.released.clear()
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "stores.backends.Slow")
    yield KeyringStore(person_present=False, seconds=0.2)
    backends.released.set()
    for thread in threading.enumerate():
        if thread.name == "keyring":
            thread.join(10)


def test_a_slow_keyring_is_given_up_within_its_time(slow: KeyringStore) -> None:
    assert codes(slow) == {"store_slow"}


def test_a_keyring_that_never_answers_does_not_keep_the_process_alive(slow: KeyringStore) -> None:
    assert codes(slow) == {"store_slow"}
    waiting = [thread for thread in threading.enumerate() if thread.name == "keyring"]
    assert waiting
    assert all(thread.daemon for thread in waiting)


def test_a_person_is_given_more_time_than_a_script() -> None:
    assert KeyringStore(person_present=True)._seconds > KeyringStore(person_present=False)._seconds
