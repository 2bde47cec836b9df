"""The steps of a rotation over every store, also where another process has taken one meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from ollama_cli.credentials.index import CredentialIndex
from ollama_cli.credentials.rotation import Rotation
from ollama_cli.credentials.store import CredentialStore
from ollama_cli.credentials.wallet import Wallet
from ollama_cli.errors import StoreError

ORIGIN = "https://ollama.com"


@pytest.fixture
def wallet(tmp_path: Path, store: CredentialStore) -> Wallet:
    return Wallet(CredentialIndex(tmp_path / "credentials.json"), lambda _: store, new_store=store.kind)


def begin(rotation: Rotation, store: CredentialStore) -> str:
    return rotation.begin(store.kind, "somebody", None).credential.public_key


def roles(wallet: Wallet) -> list[str]:
    """What each key is to the rotation, in the order of the list."""
    return [record.role for record in wallet.records()]


def signing(wallet: Wallet) -> str:
    stored = wallet.find(ORIGIN)
    assert stored is not None
    return stored.credential.public_key


def test_a_rotation_walks_from_one_key_to_the_next(wallet: Wallet, store: CredentialStore) -> None:
    for _ in range(2):  # the second goes back to the first's entry
        old, rotation = wallet.ensure(ORIGIN).credential.public_key, wallet.rotation(ORIGIN)
        assert roles(wallet) == ["current"]
        new = begin(rotation, store)
        assert begin(rotation, store) == new  # it was begun already
        assert signing(wallet) == old
        rotation.take_over(new, leave_old=False)
        assert signing(wallet) == new
        rotation.take_over(new, leave_old=True)  # another terminal was faster
        assert roles(wallet) == ["old", "current"]
        wallet.forget(ORIGIN, old)
        assert roles(wallet) == ["current"]
        assert signing(wallet) == new


def test_what_another_command_has_ended_is_not_gone_on_with(wallet: Wallet, store: CredentialStore) -> None:
    rotation = wallet.rotation(ORIGIN)
    with pytest.raises(StoreError, match="meanwhile"):  # signed out
        begin(rotation, store)
    wallet.ensure(ORIGIN)
    new = begin(rotation, store)
    wallet.forget(ORIGIN, new)  # given up
    with pytest.raises(StoreError, match="meanwhile"):
        rotation.take_over(new, leave_old=False)
    rotation.take_over(begin(rotation, store), leave_old=False)
    with pytest.raises(StoreError, match="meanwhile"):  # the old key has to go first
        begin(rotation, store)


def test_a_new_key_takes_over_where_the_current_one_was_forgotten(wallet: Wallet, store: CredentialStore) -> None:
    old, rotation = wallet.ensure(ORIGIN).credential.public_key, wallet.rotation(ORIGIN)
    new = begin(rotation, store)
    wallet.forget(ORIGIN, old)
    rotation.take_over(new, leave_old=False)
    assert signing(wallet) == new
    assert roles(wallet) == ["current"]


def test_signing_in_takes_a_waiting_key_up_where_the_current_one_was_forgotten(
    wallet: Wallet, store: CredentialStore
) -> None:
    old = wallet.ensure(ORIGIN).credential.public_key
    new = begin(wallet.rotation(ORIGIN), store)
    wallet.forget(ORIGIN, old)
    assert wallet.ensure(ORIGIN).credential.public_key == new
    assert roles(wallet) == ["current"]


def test_what_becomes_of_an_old_key_changes_only_while_it_is_there(wallet: Wallet, store: CredentialStore) -> None:
    rotation = wallet.rotation(ORIGIN)
    wallet.ensure(ORIGIN)
    rotation.take_over(begin(rotation, store), leave_old=True)
    left = rotation.record
    assert left is not None
    assert left.role == "left"
    assert rotation.settle(left, leave_old=False).role == "old"
    wallet.forget(ORIGIN, left.public_key)
    rotation.settle(left, leave_old=True)
    assert roles(wallet) == ["current"]


def test_forgetting_everything_forgets_both(wallet: Wallet, store: CredentialStore) -> None:
    wallet.ensure(ORIGIN)
    begin(wallet.rotation(ORIGIN), store)
    wallet.forget(ORIGIN)
    assert roles(wallet) == []
