"""Whether a chat is kept: asked for by option or environment, and allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ollama_cli.errors import ArchiveError

if TYPE_CHECKING:
    from ollama_cli.chat.kept.archive import Archive
    from ollama_cli.chat.kept.stored import StoredChat
    from ollama_cli.chat.kept.writing import KeptChat
    from ollama_cli.settings import Settings


def keep_chat(
    archive: Archive,
    settings: Settings,
    model: str,
    tell: Callable[[str], None],
    *,
    asked: bool,
    stored: StoredChat | None = None,
) -> KeptChat | None:
    """What keeps a chat that begins, or goes on; None where it is not to be kept.

    OLLAMA_NOHISTORY goes before all else: the chat is then paused from its beginning.

    Args:
        archive: Where it is kept.
        settings: The environment.
        model: The model as ``run`` takes it.
        tell: Tells a person a sentence.
        asked: Whether ``--keep`` was given.
        stored: The chat that is gone on with, if one is.

    Raises:
        ArchiveError: It was asked for, and the archive cannot be written.
    """
    asked = asked or stored is not None
    if not asked and not settings.keep_chats:
        return None
    from ollama_cli.chat.kept.writing import KeptChat

    kept = KeptChat(archive, model, tell) if stored is None else KeptChat.continued(archive, stored, tell)
    kept.model = model
    if settings.no_history:
        kept.paused = True
        if asked:
            tell("OLLAMA_NOHISTORY is set: nothing of this chat is kept.")
        return kept
    try:
        archive.check_writable()
    except ArchiveError as error:
        if asked:
            raise
        tell(f"This chat is not kept. {error.message}")
        return None
    return kept
