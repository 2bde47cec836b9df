"""What a check found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ollama_cli.errors import CliError

NAMES = {
    "place": "Place",
    "proxy": "Proxy",
    "dns": "DNS",
    "connection": "Connection",
    "tls": "TLS",
    "clock": "Clock",
    "keyring": "Keyring",
    "credential": "Credential",
    "account": "Account",
    "daemon": "Ollama server",
    "ollama_key": "Ollama's key",
}
"""Every check, and what a person calls it, in the order in which they are told: what others need stands above them."""


class Verdict(StrEnum):
    """What a check comes to. Only a fault makes the exit status other than 0."""

    OK = "ok"
    REMARK = "remark"
    FAULT = "fault"
    NOT_CHECKED = "not_checked"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: The check, a key of ``NAMES``.
        verdict: What it comes to.
        message: One sentence that says why.
        hint: What to do, in one or more lines, or None.
        error: Of a fault: what a command would end with.
    """

    check: str
    verdict: Verdict
    message: str
    hint: str | None = None
    error: CliError | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding as a script reads it."""
        return {
            "check": self.check,
            "verdict": self.verdict.value,
            "message": self.message,
            "hint": self.hint,
            "code": self.error.code if self.error else None,
            "status": self.error.status if self.error else 0,
            "signin_url": self.error.signin_url if self.error else None,
        }


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, message)


def remark(check: str, message: str, hint: str | None = None) -> Finding:
    """It works, and there is something to know or to do."""
    return Finding(check, Verdict.REMARK, message, hint)


def fault(check: str, error: CliError) -> Finding:
    """It does not work."""
    return Finding(check, Verdict.FAULT, error.message, error.hint, error)


def not_needed(check: str, message: str) -> Finding:
    """Nothing here depends on it."""
    return Finding(check, Verdict.NOT_NEEDED, message)


def not_checked(check: str, needs: str) -> Finding:
    """It cannot be told before another fault is mended."""
    return Finding(check, Verdict.NOT_CHECKED, f"It depends on what is told under {NAMES[needs]}.")


def first_fault(findings: Iterable[Finding]) -> CliError | None:
    """What the first fault is, for what stands below may come of it; or None where all is well."""
    return next((finding.error for finding in findings if finding.error is not None), None)
