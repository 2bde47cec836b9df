"""Who is signed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """An account of ollama.com, as ``/api/me`` tells it.

    Attributes:
        name: The user name.
        email: The address, or nothing.
        plan: Such as ``pro``; ``free`` where the server leaves it empty.
    """

    name: str
    email: str
    plan: str

    @classmethod
    def from_answer(cls, content: object) -> Account | None:
        """Read an answer; ``null`` or an empty name means that nobody is signed in."""
        if not isinstance(content, dict) or not isinstance(content.get("name"), str) or not content["name"]:
            return None
        return cls(content["name"], str(content.get("email") or ""), str(content.get("plan") or "free"))
