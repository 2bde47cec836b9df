"""The steps of a transfer, whatever makes them: a daemon that tells of its work, or a registry that we talk to."""

from __future__ import annotations

from typing import Protocol


class Step(Protocol):
    """A step of a transfer.

    Attributes:
        status: What is done, in a few words.
        digest: What is transferred, such as a layer's digest, by which its steps belong together; or nothing.
        total: Its size in bytes.
        completed: How many of them are there.
    """

    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def total(self) -> int: ...  # noqa: D102
    @property
    def completed(self) -> int: ...  # noqa: D102
