"""The body of an answer that may be anything: for a program as it came, for a person readable."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from itertools import chain

from ollama_cli.api.foreign_json import exact_value_of
from ollama_cli.terminal.sanitize import Sanitizer, clean
from ollama_cli.terminal.streams import Streams

LONGEST_LAID_OUT = 8 * 1024 * 1024
"""Bytes above which JSON is shown as it came."""


def show_body(streams: Streams, parts: Iterable[bytes], *, as_it_comes: bool) -> None:
    """Print a body on stdout: unchanged, or at a terminal without control sequences, and JSON indented.

    What is no text is not shown at a terminal; that is told.

    Args:
        streams: Where it goes.
        parts: The body as it arrives.
        as_it_comes: Whether a terminal is shown each part at once, and not JSON as a whole.
    """
    if not streams.out.isatty():
        for part in parts:
            streams.write_bytes(part)
    elif as_it_comes:
        _show_text(streams, parts)
    else:
        _show_whole(streams, iter(parts))


def _show_whole(streams: Streams, parts: Iterator[bytes]) -> None:
    content = bytearray()
    for part in parts:
        content += part
        if len(content) > LONGEST_LAID_OUT:
            break
    if _is_binary(content):
        size = len(content) + sum(map(len, parts))
        streams.say(
            f"The answer is {size} bytes that are no text. They are not shown; send them to a file with > FILE."
        )
        return
    try:
        laid_out = json.dumps(exact_value_of(bytes(content)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        _show_text(streams, chain([bytes(content)], parts))
        return
    streams.answer(clean(laid_out))


def _show_text(streams: Streams, parts: Iterable[bytes]) -> None:
    decoder, sanitizer = codecs.getincrementaldecoder("utf-8")("replace"), Sanitizer()
    last = "\n"
    try:
        for part in parts:
            shown = sanitizer.feed(decoder.decode(part))
            last = shown[-1:] or last
            streams.write(shown)
    finally:  # an error that follows begins on a line of its own
        rest = sanitizer.feed(decoder.decode(b"", final=True)) + sanitizer.end()
        streams.write(rest if (rest or last).endswith("\n") else f"{rest}\n")


def _is_binary(content: bytearray) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)  # it may be cut within a character
    except UnicodeDecodeError:
        return True
    return b"\0" in content
