"""The list of stored credentials as a value, and as the text of its file: everything about them but the secrets."""

# Its annotations are no strings, as elsewhere: NamedTuple would compile each of them at every start.

import json
from typing import Any, NamedTuple, Self

from ollama_cli.credentials.public_key import is_public_key
from ollama_cli.credentials.secret_record import API_KEY, TOKENS, SecretRecord
from ollama_cli.settings.profile_name import DEFAULT_PROFILE, is_profile_name

_FIRST_VERSION, _VERSION = 1, 2
"""The second has profiles, API keys, tokens and rotations, of which a reader of the first would keep nothing; it is
written only for them."""

_END_OF_DATES = 253_402_300_800  # the year 10000, in unix seconds

CURRENT, NEW, OLD, LEFT = "current", "new", "old", "left"
"""What a key is to its profile and origin: the one that signs; the one that a rotation will put in its place; the one
that a rotation has replaced and that is still to be taken off the account; and one that is only to be deleted here."""

ROLES_IN_WORDS = {CURRENT: "the key", NEW: "the new key", OLD: "the old key", LEFT: "the old key"}
"""The same for a person."""

_STORES = frozenset({"keyring", "file", "memory"})
_SECRET_KINDS = TOKENS | {API_KEY}
_NUMBER_OR_NONE, _TEXT_OR_NONE = (int, type(None)), (str, type(None))


class KeyRecord(NamedTuple):
    """A stored device key.

    Attributes:
        profile: Whose it is.
        origin: The one origin that it signs for.
        store: The kind of store that holds it.
        public_key: Its public key line.
        created_at: When it was made, in unix seconds.
        signed_in_at: When it was first seen on an account, in unix seconds; None is never.
        shared_with: Whose key it is too: ``ollama`` for the installed Ollama's, or None.
        last_used_at: When it was last seen to be taken, in unix seconds and to about a day; None is never.
        role: ``current``, or what it is to a rotation.
        slot: Which of the two entries that a profile and an origin have in a store holds it: 1, or 2.
        account: Of a new key, the account that the current one was on when the rotation began.
    """

    profile: str
    origin: str
    store: str
    public_key: str
    created_at: int
    signed_in_at: int | None = None
    shared_with: str | None = None
    last_used_at: int | None = None
    role: str = CURRENT
    slot: int = 1
    account: str | None = None

    @classmethod
    def read(cls, item: dict[str, Any]) -> Self:
        """A record as the file holds it; what a later release notes besides is let be."""
        return cls._make(map(item.get, cls._fields, _DEFAULTS))  # of a long list, reading it is the most of a start

    @property
    def in_words(self) -> str:
        """What it is, for a person."""
        return "device key" if self.role == CURRENT else "device key of a rotation"

    @property
    def entry(self) -> str:
        """The name of its entry in the store."""
        return entry_name(self.profile, self.origin, self.slot)


_DEFAULTS = tuple(map(KeyRecord._field_defaults.get, KeyRecord._fields))


def entry_name(profile: str, origin: str, slot: int = 1) -> str:
    """The name under which a store keeps a key of a profile for an origin; the second is for a rotation."""
    return f"{profile}@{origin}" if slot == 1 else f"{profile}@{origin}#{slot}"


class Listing(NamedTuple):
    """All that the list holds.

    Attributes:
        records: The device keys, in the order in which they were stored.
        secrets: The API keys and tokens, likewise.
        current: The profile that counts where none is named.
    """

    records: tuple[KeyRecord, ...] = ()
    secrets: tuple[SecretRecord, ...] = ()
    current: str = DEFAULT_PROFILE

    def kept_by(self, profile: str) -> list[KeyRecord | SecretRecord]:
        """What a profile keeps."""
        keys: list[KeyRecord | SecretRecord] = [record for record in self.records if record.profile == profile]
        return [*keys, *(record for record in self.secrets if record.profile == profile)]

    def profiles_for(self, origin: str) -> set[str]:
        """The profiles that keep something for an origin."""
        keys = {record.profile for record in self.records if record.origin == origin}
        return keys | {record.profile for record in self.secrets if record.origin == origin}

    @property
    def profiles(self) -> list[str]:
        """The names of all profiles: the default one first, the others sorted."""
        stored = {record.profile for record in self.records} | {record.profile for record in self.secrets}
        return [DEFAULT_PROFILE, *sorted((stored | {self.current}) - {DEFAULT_PROFILE})]


def parse_listing(text: bytes) -> Listing:
    """Read the file's text.

    Raises:
        ValueError: It is damaged, or of a later release.
    """
    try:
        content = json.loads(text.decode("utf-8"))
        keys, secrets = content["credentials"], content.get("secrets", [])
        current = content.get("current_profile", DEFAULT_PROFILE)
        if not (
            content["version"] in {_FIRST_VERSION, _VERSION}
            and all(map(_is_sound, keys))
            and all(map(_is_sound_secret, secrets))
            and is_profile_name(current)
        ):
            raise ValueError
        return Listing(tuple(map(KeyRecord.read, keys)), tuple(map(SecretRecord.read, secrets)), current)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError from error


def text_of_listing(listing: Listing) -> str:
    """The text of the file that holds a list."""
    content: dict[str, Any] = {"version": _FIRST_VERSION}
    rotated = any((record.role, record.slot) != (CURRENT, 1) for record in listing.records)
    if listing.secrets or listing.current != DEFAULT_PROFILE or rotated:
        secrets = [_told(record) for record in listing.secrets]
        content = {"version": _VERSION, "current_profile": listing.current, "secrets": secrets}
    content["credentials"] = [_told(record) for record in listing.records]
    return json.dumps(content, indent=2) + "\n"


def _told(record: KeyRecord | SecretRecord) -> dict[str, Any]:
    """What the file says of a record: all but what is so where nothing is said; of a long list that is half."""
    usual = record._field_defaults
    return {name: value for name, value in record._asdict().items() if name not in usual or value != usual[name]}


def _is_sound(item: dict[str, Any]) -> bool:
    """Whether what was read for a device key is what its record holds; the file may have been edited by hand."""
    return (
        _is_sound_entry(item)
        and isinstance(item["public_key"], str)
        and is_public_key(item["public_key"])
        and isinstance(item.get("signed_in_at"), _NUMBER_OR_NONE)
        and isinstance(item.get("shared_with"), _TEXT_OR_NONE)
        and item.get("role", CURRENT) in ROLES_IN_WORDS
        and item.get("slot", 1) in {1, 2}
        and isinstance(item.get("account"), _TEXT_OR_NONE)
    )


def _is_sound_secret(item: dict[str, Any]) -> bool:
    return _is_sound_entry(item) and item["kind"] in _SECRET_KINDS


def _is_sound_entry(item: dict[str, Any]) -> bool:
    return (
        item["store"] in _STORES
        and isinstance(item["origin"], str)
        and item["origin"].isascii()  # as every origin is: half a character could name no file,
        and item["origin"].isprintable()  # and an escape sequence could drive the terminal that it is shown at
        and is_profile_name(item["profile"])
        and _is_time(item["created_at"])
        and (item.get("last_used_at") is None or _is_time(item["last_used_at"]))
    )


def _is_time(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < _END_OF_DATES
