"""Checks made side by side: what hangs, what fails, and what is reported late."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ollama_cli.diagnosis.finding import ok
from ollama_cli.diagnosis.side_by_side import Family, Report, side_by_side
from ollama_cli.errors import StoreError


def test_what_hangs_is_a_fault_and_the_others_are_as_they_are() -> None:
    released, late = threading.Event(), threading.Event()
    shown: list[Sequence[str]] = []

    def hang(report: Report) -> str:
        report(ok("dns", "found"))
        released.wait(60)
        report(ok("connection", "too late"))
        late.set()
        return "too late"

    def quick(report: Report) -> str:
        report(ok("keyring", "there"))
        return "key"

    hanging, other = side_by_side(
        [Family(("dns", "connection", "tls"), hang), Family(("keyring",), quick)], seconds=0.2, show=shown.append
    )
    released.set()
    assert late.wait(60)
    verdicts = {name: finding.verdict.value for name, finding in hanging.findings.items()}
    assert verdicts == {"dns": "ok", "connection": "fault", "tls": "not_checked"}
    error = hanging.findings["connection"].error
    assert error is not None
    assert (error.code, error.status) == ("timed_out", 7)
    assert "Connection" in hanging.findings["tls"].message
    assert hanging.value is None
    assert (other.value, other.findings["keyring"].message) == ("key", "there")
    assert shown[-1] == ["Connection", "TLS"]


def test_what_fails_is_the_fault_of_the_next_check_and_ends_no_other() -> None:
    def locked(report: Report) -> None:
        report(ok("keyring", "there"))
        raise StoreError("It is locked.", hint="Unlock it.", code="store_locked")

    def broken(_: Report) -> None:
        raise KeyError("a secret")

    store, daemon = side_by_side(
        [Family(("keyring", "credential"), locked), Family(("daemon",), broken)], seconds=30, show=lambda _: None
    )
    credential, found = store.findings["credential"], daemon.findings["daemon"]
    assert (credential.verdict.value, credential.hint) == ("fault", "Unlock it.")
    assert credential.as_json()["status"] == 9
    assert found.as_json()["code"] == "unexpected"
    assert "secret" not in found.message
    assert "KeyError" in found.message
