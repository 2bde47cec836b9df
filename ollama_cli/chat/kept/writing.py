"""A chat that is kept while it goes on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.form import message_row, settings_json, storable, title_of
from ollama_cli.chat.kept.stored import StoredChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session
from ollama_cli.terminal.ending import uninterrupted


@dataclass(frozen=True)
class _Written:
    """What the archive holds of the chat, as far as this process knows.

    Attributes:
        id: The chat's id; None while nothing of it is kept.
        revision: Its revision when it was written; another one means that somebody else wrote to it since.
        messages: Its messages.
        settings: The model as ``run`` takes it, and the session's settings as JSON.
    """

    id: int | None = None
    revision: int = 0
    messages: tuple[Message, ...] = ()
    settings: tuple[str, str] | None = None


class KeptChat:
    """Writes what is new in a session to the archive, each time that it is told to.

    That is the difference to what was written last, whatever made it: a question, an answer, one that was taken back,
    a setting. A write that failed is made good by the next one.

    Args:
        archive: Where it is kept.
        model: The model as ``run`` takes it: a suffix that says where it runs belongs to it.
        tell: Tells a person a sentence.

    Attributes:
        model: The same; to be set where another model goes on with the conversation.
        paused: Whether nothing is kept for now. What is said meanwhile is not kept later either.
    """

    def __init__(self, archive: Archive, model: str, tell: Callable[[str], None]) -> None:
        self.model = model
        self.paused = False
        self._archive = archive
        self._tell = tell
        self._private: list[Message] = []  # said while it was paused
        self._written = _Written()
        self._removed = False

    @classmethod
    def continued(cls, archive: Archive, stored: StoredChat, tell: Callable[[str], None]) -> Self:
        """Go on with a chat that was read from the archive: what ``stored.session`` becomes is kept in it."""
        facts = stored.facts
        kept = cls(archive, facts.model, tell)
        kept._written = _Written(facts.id, facts.revision, stored.messages, (facts.model, stored.settings))
        return kept

    @property
    def id(self) -> int | None:
        """The chat's id in the archive; None until a question is kept."""
        return self._written.id

    def begin_anew(self, model: str) -> None:
        """Keep what is said from now on as another chat, as after ``/clear``; what was kept so far stays.

        Args:
            model: The model as ``run`` takes it.
        """
        self.model = model
        self._written = _Written()
        self._removed = False

    def keep(self, session: Session) -> None:
        """Write what changed since the last time: the messages, and the settings.

        To be called after each message that is complete, and after each change of a setting. A chat is kept from its
        first question on.

        Raises:
            ArchiveError: It could not be written. The next call tries again.
            KeyboardInterrupt: Ctrl-C came while it was written, which it is now.
        """
        if self.paused:
            self._note_private(session.messages)
            return
        messages = tuple(message for message in session.messages if not _is_among(message, self._private))
        settings = self.model, settings_json(session)
        before = self._written
        unchanged = (messages, settings) == (before.messages, before.settings)
        if self._removed or unchanged or (before.id is None and not _has_question(messages)):
            return
        with uninterrupted():  # what is written and not known to be would be taken for somebody else's
            stored = self._write(messages, settings)
        self._tell_of_others(before, stored)

    def _write(self, messages: tuple[Message, ...], settings: tuple[str, str]) -> int | None:
        """Write what differs; the revision that the chat had in the file before, or None where it was not there."""
        before = self._written
        with self._archive.database.writing() as connection:
            stored = _stored_revision(connection, before)
            if before.id is not None and stored is None:
                after = _Written()
            elif before.id is None or stored != before.revision:
                after = _insert(connection, messages, settings)
            elif _has_question(messages):
                after = _update(connection, before, messages, settings)
            else:  # the only question was taken back
                connection.execute("DELETE FROM chats WHERE id = ?", (before.id,))
                after = _Written()
        self._written = after
        return stored

    def _note_private(self, messages: Iterable[Message]) -> None:
        known = [*self._written.messages, *self._private]
        self._private.extend(message for message in messages if not _is_among(message, known))

    def _tell_of_others(self, before: _Written, stored: int | None) -> None:
        """Say what another process did to the chat since it was written last."""
        if before.id is None or stored == before.revision:
            return
        if stored is None:
            self._removed = True
            self._tell(f"Chat {before.id} was removed meanwhile; this conversation is not kept any more.")
        else:
            self._tell(f"Chat {before.id} was gone on with elsewhere; this conversation is now kept as chat {self.id}.")


def _stored_revision(connection: sqlite3.Connection, written: _Written) -> int | None:
    """The revision that is in the archive; None where the chat is not, and one that is nobody's where it is damaged."""
    row = connection.execute("SELECT revision FROM chats WHERE id = ?", (written.id,)).fetchone()
    return None if row is None else row[0] if isinstance(row[0], int) else -1


def _insert(connection: sqlite3.Connection, messages: tuple[Message, ...], settings: tuple[str, str]) -> _Written:
    revision, now = _next_revision(connection), int(time.time())
    number = connection.execute(
        "INSERT INTO chats (title, model, settings, created_at, changed_at, revision) VALUES (?, ?, ?, ?, ?, ?)",
        (title_of(messages), *map(storable, settings), now, now, revision),
    ).lastrowid
    _insert_messages(connection, number, 0, messages)
    return _Written(number, revision, messages, settings)


def _update(
    connection: sqlite3.Connection, before: _Written, messages: tuple[Message, ...], settings: tuple[str, str]
) -> _Written:
    revision = _next_revision(connection)
    connection.execute(
        "UPDATE chats SET title = ?, model = ?, settings = ?, changed_at = ?, revision = ? WHERE id = ?",
        (title_of(messages), *map(storable, settings), int(time.time()), revision, before.id),
    )
    same = _common_beginning(before.messages, messages)
    connection.execute("DELETE FROM messages WHERE chat = ? AND position >= ?", (before.id, same))
    _insert_messages(connection, before.id, same, messages[same:])
    return _Written(before.id, revision, messages, settings)


def _next_revision(connection: sqlite3.Connection) -> int:
    (greatest,) = connection.execute("SELECT max(revision) FROM chats WHERE typeof(revision) = 'integer'").fetchone()
    return (greatest or 0) + 1


def _insert_messages(
    connection: sqlite3.Connection, number: int | None, position: int, messages: Sequence[Message]
) -> None:
    connection.executemany(
        "INSERT INTO messages (chat, position, role, content, rest) VALUES (?, ?, ?, ?, ?)",
        [(number, position + index, *message_row(message)) for index, message in enumerate(messages)],
    )


def _common_beginning(one: Sequence[Message], other: Sequence[Message]) -> int:
    """How many messages two conversations have in common before they part."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(one), len(other)))


def _is_among(message: Message, others: Iterable[Message]) -> bool:
    """Whether it is one of them itself, and does not only say the same."""
    return any(message is other for other in others)


def _has_question(messages: Iterable[Message]) -> bool:
    return any(message.role == "user" for message in messages)
