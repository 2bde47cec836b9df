"""A macOS keychain in memory, under the real backend of the keyring package.

It answers with the numbers that the Security framework documents (SecBase.h).
"""

import ctypes
import sys
from typing import Any

import pytest

NOT_FOUND, DUPLICATE = -25300, -25299


class Keychain:
    """Generic passwords by service and account."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.fails_with = 0

    def copy_matching(self, query: dict[str, Any], result: Any) -> int:
        if self.fails_with:
            return self.fails_with
        found = self.kept.get((query["kSecAttrService"], query["kSecAttrAccount"]))
        if found is None:
            return NOT_FOUND
        result.append(found)
        return 0

    def add(self, query: dict[str, Any], _: None) -> int:
        if self.fails_with:
            return self.fails_with
        name = query["kSecAttrService"], query["kSecAttrAccount"]
        if name in self.kept:
            return DUPLICATE
        self.kept[name] = query["kSecValueData"]
        return 0

    def delete(self, query: dict[str, Any]) -> int:
        if self.fails_with:
            return self.fails_with
        found = self.kept.pop((query["kSecAttrService"], query["kSecAttrAccount"]), None)
        return NOT_FOUND if found is None else 0


class Function:
    """A function of a framework that is not there; the ones that matter are put in its place below."""


class Framework:
    """A framework that is not there."""

    def __init__(self, _: str | None) -> None:
        pass

    def __getattr__(self, name: str) -> Function:
        function = Function()
        setattr(self, name, function)
        return function


def install(patch: pytest.MonkeyPatch) -> Keychain:
    """Load the keyring package's backend for macOS over it, as if this were a Mac."""
    import platform

    keychain = Keychain()
    for name in ("keyring.backends.macOS", "keyring.backends.macOS.api"):
        patch.delitem(sys.modules, name, raising=False)
    with patch.context() as loading:
        loading.setattr(ctypes, "CDLL", Framework)
        from keyring.backends.macOS import api
    patch.setattr(platform, "system", lambda: "Darwin")
    # Above these everything is the package's own: its queries, its errors, what it makes of them.
    patch.setattr(api, "k_", lambda name: name)
    patch.setattr(api, "create_query", lambda **query: query)
    patch.setattr(api, "c_void_p", list)
    patch.setattr(api, "byref", lambda data: data)
    patch.setattr(api, "cfstr_to_str", lambda data: data[0])
    patch.setattr(api, "SecItemCopyMatching", keychain.copy_matching)
    patch.setattr(api, "SecItemAdd", keychain.add)
    patch.setattr(api, "SecItemDelete", keychain.delete)
    return keychain
