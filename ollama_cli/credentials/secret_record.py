"""What the list notes about a stored API key or token: everything but the secret."""

# Its annotations are no strings, as elsewhere: NamedTuple would compile each of them at every start.

from typing import Any, NamedTuple, Self

API_KEY = "api_key"
TOKENS = frozenset({"bearer", "basic"})
"""The schemes of a token for a daemon's origin."""


class SecretRecord(NamedTuple):
    """A stored API key, or a token for a daemon's origin.

    Attributes:
        profile: Whose it is.
        origin: The one origin that it is sent to.
        kind: ``api_key`` for ollama.com; ``bearer`` or ``basic`` for a daemon, which is the scheme it is sent with.
        store: The kind of store that holds it.
        created_at: When it was stored, in unix seconds.
        last_used_at: When it was last seen to be taken, in unix seconds and to about a day; None is never.
    """

    profile: str
    origin: str
    kind: str
    store: str
    created_at: int
    last_used_at: int | None = None

    @classmethod
    def read(cls, item: dict[str, Any]) -> Self:
        """A record as the file holds it; what a later release notes besides is let be."""
        return cls._make(item.get(name, cls._field_defaults.get(name)) for name in cls._fields)

    @property
    def is_api_key(self) -> bool:
        """Whether it is an API key, and no token."""
        return self.kind == API_KEY

    @property
    def entry(self) -> str:
        """The name of its entry in the store."""
        return secret_entry_name(self.profile, self.origin, is_api_key=self.is_api_key)

    @property
    def in_words(self) -> str:
        """What it is, for a person."""
        return "API key" if self.is_api_key else "token"


def secret_entry_name(profile: str, origin: str, *, is_api_key: bool) -> str:
    """The name under which a store keeps an API key or a token; a device key of the same origin has another."""
    return f"{'api-key' if is_api_key else 'token'}:{profile}@{origin}"
