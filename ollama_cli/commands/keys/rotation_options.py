"""What the command line of ``keys rotate`` says."""

from __future__ import annotations

from dataclasses import dataclass, field

from ollama_cli.commands.shared.approving import ApprovalOptions


@dataclass(frozen=True)
class RotateOptions:
    """What the command line of ``keys rotate`` says.

    Attributes:
        approval: How the approval of the new key is waited for.
        passphrase: Whether the new key gets a passphrase; None is as the old one has it.
        sign_out_ollama: Whether an old key that is the installed Ollama's too is taken off the account; None is not
            said.
        other_account: Whether another account than the old key's may approve the new one.
        cancel: Whether to give up a rotation that is under way.
        as_json: Whether to print JSON.
    """

    approval: ApprovalOptions = field(default_factory=ApprovalOptions)
    passphrase: bool | None = None
    sign_out_ollama: bool | None = None
    other_account: bool = False
    cancel: bool = False
    as_json: bool = False
