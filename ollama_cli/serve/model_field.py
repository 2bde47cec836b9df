"""The model that a request names: found in its body, and put in another's place there, with all other bytes untouched.

A body that could be read in two ways is refused: one whose model is named twice, or once in capitals (the cloud reads
names of fields in any case). So what a request is judged by is what it is sent with.

>>> body = bytearray(b'{"model": "gpt-oss:120b-cloud", "prompt": "hi"}')
>>> field = find_model(body)
>>> field.text
'gpt-oss:120b-cloud'
>>> b"".join(replaced(body, field, "gpt-oss:120b"))
b'{"model": "gpt-oss:120b", "prompt": "hi"}'
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from ollama_cli.serve.refusals import RefusedError

_SPACE = rb"[ \t\n\r]*+"
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_FLAT = rb'[^"\[\]{}]++|' + _STRING
for _ in range(2):  # what nests deeper, or is longer, is walked through bracket by bracket
    _FLAT = rb'[^"\[\]{}]++|' + _STRING + rb"|[\[{](?:" + _FLAT + rb"){0,64}+[\]}]"
_WITHIN = re.compile(rb"(?:" + _FLAT + rb"){1,1024}+", re.DOTALL)
_KEY = re.compile(_SPACE + rb"(" + _STRING + rb")" + _SPACE + rb":" + _SPACE, re.DOTALL)
_TEXT = re.compile(_STRING, re.DOTALL)
_WORD = re.compile(rb"[^,}\]\s]++")
_NEXT = re.compile(_SPACE + rb"([,}])")
_SOMETHING = re.compile(rb"[^ \t\n\r]")
_FIRST = re.compile(_SPACE + rb"\{" + _SPACE)
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_LONGEST_MODEL = 1024
_MOST_MEMBERS = 10_000
_MOST_STEPS = 2_000_000  # a second's; what has more is no question, but meant to keep this server busy
_TRUNCATED = "Input data was truncated"
_NAMES = ("model", "name")
_LONGEST_KEY = 64  # more than either takes where every letter of it is written as an escape

# What the reference's own parser says to what is wrong, by what ours says.
_WORDS = (
    ("expected ':'", "after object key"),
    ("expected ',' or '}'", "after object key:value pair"),
    ("expected ',' or ']'", "after array element"),
    ("expected '\"'", "looking for beginning of object key string"),
    ("trailing comma in object", "looking for beginning of object key string"),
    ("trailing characters", "after top-level value"),
    ("escaped", "in string escape code"),
    ("unicode escape", "in \\u hexadecimal character escape"),
    ("number", "in numeric literal"),
    ("", "looking for beginning of value"),
)


@dataclass(frozen=True)
class ModelField:
    """Where a body names its model.

    Attributes:
        text: The model, as its characters read; nothing where none is named.
        start: Where its value begins.
        end: Where the next byte after it stands.
    """

    text: str = ""
    start: int = 0
    end: int = 0


def find_model(body: bytearray, names: tuple[str, ...] = _NAMES[:1]) -> ModelField:
    """The model of a request.

    Args:
        body: A JSON object.
        names: The fields that may name it: of several that do, the first counts, and the others have to agree.

    Raises:
        RefusedError: 400, it is no such object, or can be read in two ways.
    """
    _check(body)
    found: dict[str, ModelField] = {}
    for key, start, end in _members(body):
        name = _name_of(key)
        if name not in names:
            continue
        if name in found:
            raise RefusedError(400, f'the field "{name}" stands in the request more than once')
        found[name] = ModelField(_text_of(body, start, end, name), start, end)
    named = [found[name] for name in names if name in found and found[name].text]
    if len({field.text for field in named}) > 1:
        raise RefusedError(400, 'the fields "model" and "name" name two models')
    return named[0] if named else ModelField()


def replaced(body: bytearray, field: ModelField, model: str) -> Iterator[bytes | memoryview]:
    """The pieces of the body with another model in the place of its own."""
    whole = memoryview(body)
    yield whole[: field.start]
    yield json.dumps(model).encode("ascii")
    yield whole[field.end :]


def is_blank(body: bytearray) -> bool:
    """Whether there is nothing in a body."""
    return _SOMETHING.search(body) is None


def _check(body: bytearray) -> None:
    """Refuse what is not one JSON object."""
    if is_blank(body):
        raise RefusedError(400, "missing request body")
    try:
        _validate(body)
    except RecursionError:
        raise RefusedError(400, "exceeded max depth") from None
    except msgspec.DecodeError as error:
        raise RefusedError(400, _in_words(body, str(error))) from None
    if not _FIRST.match(body):
        raise RefusedError(400, "the request body is not a JSON object")


def _validate(body: bytearray) -> None:
    """Have the body read by a parser that keeps nothing of it."""
    decoder = msgspec.json.Decoder(msgspec.Raw)
    try:
        decoder.decode(body)
    except msgspec.DecodeError:
        # Half a character, which JavaScript's texts may end with, is no reason to refuse a request: other parsers
        # read it. Another character in its place, as long, shows whether all the rest is right.
        mended, count = _LONE_SURROGATE.subn(rb"\\ufffd", body)
        if not count:
            raise
        decoder.decode(mended)


def _in_words(body: bytearray, said: str) -> str:
    place = re.search(r"\(byte (\d+)\)", said)
    if place is None or said.startswith(_TRUNCATED):
        return "unexpected EOF"
    at = int(place[1]) - (1 if "trailing characters" in said else 0)  # that one counts from one
    char = chr(body[at]) if at < len(body) else ""
    shown = char if char.isprintable() else f"\\x{ord(char):02x}"
    return f"invalid character '{shown}' {next(words for ours, words in _WORDS if ours in said)}"


def _members(body: bytearray) -> Iterator[tuple[bytes, int, int]]:
    """The members of the outermost object: the key as it is written, and where its value stands."""
    first = _FIRST.match(body)
    at = first.end() if first else 0
    steps, members = iter(range(_MOST_STEPS)), iter(range(_MOST_MEMBERS))
    while key := _KEY.match(body, at):
        start = key.end()
        at = _end_of_value(body, start, steps)
        if next(members, None) is None:
            raise _intricate()
        yield bytes(key[1]), start, at
        after = _NEXT.match(body, at)
        if after is None or after[1] == b"}":
            return
        at = after.end()


def _end_of_value(body: bytearray, start: int, steps: Iterator[int]) -> int:
    kind = bytes(body[start : start + 1])
    pattern = _TEXT if kind == b'"' else _WORD
    if kind not in {b"[", b"{"}:
        plain = pattern.match(body, start)
        return plain.end() if plain else start
    depth, at = 1, start + 1
    while depth:
        run = _WITHIN.match(body, at)
        at = run.end() if run else at
        bracket = bytes(body[at : at + 1])
        if bracket in {b"[", b"]", b"{", b"}"}:
            depth += 1 if bracket in {b"[", b"{"} else -1
            at += 1
        if next(steps, None) is None:
            raise _intricate()
    return at


def _intricate() -> RefusedError:
    return RefusedError(400, "the request body has too many parts")


def _name_of(key: bytes) -> str:
    """A key as the cloud reads it: in any case."""
    if len(key) > _LONGEST_KEY:
        return ""
    text = json.loads(key.decode("utf-8", "replace"), strict=False)
    return text.lower() if isinstance(text, str) and text.isascii() else ""


def _text_of(body: bytearray, start: int, end: int, name: str) -> str:
    if body[start : start + 1] != b'"':
        if body[start:end] == b"null":
            return ""
        raise RefusedError(400, f'the field "{name}" is not a string')
    if end - start > _LONGEST_MODEL:
        raise RefusedError(400, f'the field "{name}" is too long for the name of a model')
    text: str = json.loads(bytes(body[start:end]).decode("utf-8", "replace"), strict=False)
    return text.strip()
