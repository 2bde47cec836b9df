"""A Windows Credential Manager in memory, under the real backend of the keyring package.

It holds what CredWrite documents that it holds, and fails with the numbers that winerror.h has.
"""

import sys
from types import ModuleType
from typing import Any

import pytest

NOT_FOUND = 1168
BYTES = 2560
"""CRED_MAX_CREDENTIAL_BLOB_SIZE."""


class WindowsError(Exception):
    """As pywintypes.error is."""

    def __init__(self, winerror: int, funcname: str, strerror: str) -> None:
        super().__init__(winerror, funcname, strerror)
        self.winerror, self.funcname, self.strerror = winerror, funcname, strerror


class CredentialManager:
    """Generic credentials by target name."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.fails_with = 0

    def _check(self, function: str) -> None:
        if self.fails_with:
            raise WindowsError(self.fails_with, function, f"as told, and it quotes nothing: {self.fails_with}")

    def read(self, Type: int, TargetName: str) -> dict[str, Any]:  # noqa: N803 - the names of the interface
        self._check("CredRead")
        if TargetName not in self.kept:
            raise WindowsError(NOT_FOUND, "CredRead", "Element not found.")
        return self.kept[TargetName]

    def write(self, credential: dict[str, Any], flags: int) -> None:
        self._check("CredWrite")
        blob = credential["CredentialBlob"].encode("utf-16-le")
        if len(blob) > BYTES:
            raise WindowsError(1783, "CredWrite", "The stub received bad data.")
        self.kept[credential["TargetName"]] = {**credential, "CredentialBlob": blob}

    def delete(self, Type: int, TargetName: str) -> None:  # noqa: N803
        self._check("CredDelete")
        if self.kept.pop(TargetName, None) is None:
            raise WindowsError(NOT_FOUND, "CredDelete", "Element not found.")


def install(patch: pytest.MonkeyPatch) -> CredentialManager:
    """Put it where the keyring package looks, and load that package's backend for Windows anew."""
    manager = CredentialManager()
    types, cred, package = ModuleType("pywintypes"), ModuleType("win32cred"), ModuleType("win32ctypes.pywin32")
    vars(types)["error"] = WindowsError
    functions = {"CredRead": manager.read, "CredWrite": manager.write, "CredDelete": manager.delete}
    vars(cred).update(functions, CRED_TYPE_GENERIC=1, CRED_PERSIST_ENTERPRISE=3)
    vars(package).update(pywintypes=types, win32cred=cred)
    patch.setitem(sys.modules, "win32ctypes", ModuleType("win32ctypes"))
    patch.setitem(sys.modules, "win32ctypes.pywin32", package)
    patch.delitem(sys.modules, "keyring.backends.Windows", raising=False)
    return manager
