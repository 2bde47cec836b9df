"""The Modelfile: a text of instructions from which a model is made. Read as the reference's parser reads it.

>>> [instruction.value for instruction in parse_modelfile('FROM tiny # not a comment')]
['tiny # not a comment']
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from ollama_cli.errors import UsageError

PLAIN = ("from", "license", "template", "system", "adapter", "draft", "renderer", "parser", "requires")
"""Instructions with a value and nothing else."""

WITH_ARGUMENT = {"parameter": re.compile(r"\w+", re.ASCII), "message": re.compile(r"system|user|assistant")}
"""Instructions with a word before their value: the parameter's name, and who says the message."""

_BYTE_ORDERS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BETWEEN = re.compile(r"(?:[ \t\r\n]++|#[^\r\n]*+)*+")
_BLANKS = " \t"
_WORD = re.compile(r"([^ \t\r\n]*)([ \t]*)")
_LINE_END = re.compile(r"\r\n?|\n")
_TRIPLE = re.compile(r'"""((?s:.*?))"""[^\S\r\n]*(?=[\r\n]|\Z)')
_QUOTED = re.compile(r'"((?s:.*?))"[^\S\r\n]*(?=[\r\n]|\Z)')
_BARE = re.compile(r"[^\r\n]*")


@dataclass(frozen=True)
class Instruction:
    """An instruction of a Modelfile.

    Attributes:
        name: Which, in small letters, such as ``from``.
        value: What it sets, without quotes.
        argument: The word before it, of a parameter or a message; else nothing.
        line: Where it begins, from 1.
    """

    name: str
    value: str
    argument: str = ""
    line: int = 0


def decode_modelfile(content: bytes) -> str:
    """The text of a Modelfile: UTF-8, or UTF-16 with a byte order mark; what is neither is replaced."""
    for mark, encoding in _BYTE_ORDERS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    return content.decode("utf-8", "replace")


def parse_modelfile(text: str) -> tuple[Instruction, ...]:
    """Read a Modelfile.

    An instruction begins a line, in any case; ``#`` in its place begins a comment. A value ends with its line, unless
    it begins with one or three quotation marks: then with as many at the end of a line. Control characters are left
    out.

    Raises:
        UsageError: A line is no instruction, a quote does not end, or there is no FROM; the message names the line.
    """
    text = _CONTROLS.sub("", text)
    instructions: list[Instruction] = []
    line, counted = 1, 0
    position = _end_of(_BETWEEN, text, 0)
    while position < len(text):
        line, counted = line + len(_LINE_END.findall(text, counted, position)), position
        instruction, position = _instruction(text, position, line)
        instructions.append(instruction)
        position = _end_of(_BETWEEN, text, position)
    if not any(instruction.name == "from" for instruction in instructions):
        raise UsageError("The Modelfile has no FROM line.", hint="Such as: FROM llama3.2", code="bad_modelfile")
    return tuple(instructions)


def _instruction(text: str, position: int, line: int) -> tuple[Instruction, int]:
    typed, position = _word(text, position)
    name, argument = typed.lower(), ""
    if name not in PLAIN and name not in WITH_ARGUMENT:
        raise _wrong(line, f"{typed[:40]!r} is no instruction", f"There are: {', '.join(map(str.upper, _ALL))}.")
    if name in WITH_ARGUMENT:
        argument, position = _word(text, position)
        if not WITH_ARGUMENT[name].fullmatch(argument):
            raise _wrong(line, *_ARGUMENT_WRONG[name])
    if text[position - 1] not in _BLANKS:
        raise _wrong(line, f"{' '.join(filter(None, (name.upper(), argument)))} has no value", None)
    value, position = _value(text, position, line)
    return Instruction(name, value, argument, line), position


def _word(text: str, position: int) -> tuple[str, int]:
    found = _WORD.match(text, position)
    return (found[1], found.end()) if found else ("", position)


def _value(text: str, position: int, line: int) -> tuple[str, int]:
    quote, pattern = '"""', _TRIPLE
    if not text.startswith(quote, position):
        quote, pattern = '"', _QUOTED
    if not text.startswith(quote, position):
        end = _end_of(_BARE, text, position)
        return text[position:end].strip(), end
    found = pattern.match(text, position)
    if found is None:
        raise _wrong(
            line, f"the quotation that begins with {quote} does not end", f"It ends with {quote} at a line's end."
        )
    return found[1], found.end()


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position


def _wrong(line: int, what: str, hint: str | None) -> UsageError:
    return UsageError(f"Line {line} of the Modelfile: {what}.", hint=hint, code="bad_modelfile")


_ALL = (*PLAIN, *WITH_ARGUMENT)
_ARGUMENT_WRONG = {
    "parameter": ("a parameter is a name and a value", "Such as: PARAMETER temperature 0.2"),
    "message": ("a message is said by system, user or assistant", "Such as: MESSAGE user Hello"),
}
