"""What can be told of a device key: never the private half."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ollama_cli.credentials.listing import LEFT, NEW, OLD
from ollama_cli.credentials.public_key import encode_public_key, fingerprint_of

if TYPE_CHECKING:
    from ollama_cli.credentials.listing import KeyRecord

_ROTATION = {NEW: "new", OLD: "old", LEFT: "old"}


@dataclass(frozen=True)
class KeyFacts:
    """A device key, of this machine or of another.

    Attributes:
        fingerprint: What ``ssh-keygen -l`` prints for it.
        public_key: Its public key line.
        encoded: The form that it has in URLs.
        made: When it was stored here, in UTC, as ISO 8601 has it; None for a key that is not of this machine, as are
            the next four.
        last_used: When it was last seen to be taken, to about a day; None is never.
        store: The kind of store that holds it.
        profile: Whose it is.
        origin: The one origin that it signs for.
        this_device: Whether it is the one that stands for this device at ollama.com, or at what stands in for it.
        shared_with: ``ollama`` where it is the installed Ollama's key too, or None.
        rotation: ``new`` where a rotation will put it in the place of this device's key, ``old`` where one has replaced
            it already, or None.
    """

    fingerprint: str
    public_key: str
    encoded: str
    made: str | None
    last_used: str | None
    store: str | None
    profile: str | None
    origin: str | None
    this_device: bool
    shared_with: str | None
    rotation: str | None

    @property
    def made_on(self) -> str:
        """The day on which it was made, where this machine is."""
        return _day(self.made)

    @property
    def last_used_on(self) -> str:
        """The day on which it was last seen to be taken, where this machine is."""
        return _day(self.last_used)

    def as_json(self) -> dict[str, Any]:
        """Every fact by its name."""
        return asdict(self)


def _day(text: str | None) -> str:
    return datetime.fromisoformat(text).astimezone().date().isoformat() if text else ""


def iso_time(seconds: int) -> str:
    """A time in unix seconds as ISO 8601 has it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_facts(public_key: str, record: KeyRecord | None, own: KeyRecord | None) -> KeyFacts:
    """What is known of a key.

    Args:
        public_key: Its public key line.
        record: What this machine notes about it, or None where it is not one of its own.
        own: The record of this device's key at ollama.com, or None where there is none.
    """
    return KeyFacts(
        fingerprint=fingerprint_of(public_key),
        public_key=public_key,
        encoded=encode_public_key(public_key),
        made=iso_time(record.created_at) if record else None,
        last_used=iso_time(record.last_used_at) if record and record.last_used_at is not None else None,
        store=record.store if record else None,
        profile=record.profile if record else None,
        origin=record.origin if record else None,
        this_device=own is not None and own.public_key == public_key,
        shared_with=record.shared_with if record else None,
        rotation=_ROTATION.get(record.role) if record else None,
    )
