"""A text that must not be seen: its ``repr`` and ``str`` hide it, and only ``reveal`` gives it."""

from __future__ import annotations


class Secret:
    """A secret text, such as an API key or the PEM of a private key."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it where it is used, and keep no copy."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> str:
        msg = "a secret is not pickled"
        raise TypeError(msg)
