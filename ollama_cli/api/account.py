"""Who is signed in."""

from __future__ import annotations

from typing import NamedTuple

from ollama_cli.errors import UnavailableError


class Account(NamedTuple):
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
        """Read an answer; ``null`` or an empty name means that nobody is signed in.

        Raises:
            UnavailableError: It is no answer about an account, and so says nothing.
        """
        if content is None:
            return None
        if not isinstance(content, dict) or not isinstance(content.get("name", ""), str):
            raise UnavailableError("The server's answer about the account cannot be read.", code="answer_invalid")
        if not content.get("name"):
            return None
        return cls(content["name"], str(content.get("email") or ""), str(content.get("plan") or "free"))
