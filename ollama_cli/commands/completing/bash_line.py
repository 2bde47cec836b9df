"""A command line as bash hands it over: taken apart into words, with what bash will replace of the last one.

Bash splits words at the characters of COMP_WORDBREAKS, a colon among them, and puts what is completed in the place of
the last piece. The name of a model holds colons, so the line is read here as a shell reads it.

>>> split_line("ollama-cli run gpt-oss:1", ':=')
BashLine(words=['ollama-cli', 'run', 'gpt-oss:1'], kept=8)
"""

from __future__ import annotations

from typing import NamedTuple

_BLANKS = " \t\n"


class BashLine(NamedTuple):
    """A command line up to the cursor.

    Attributes:
        words: Its words without their quotes; the last is the one at the cursor, and empty after a blank.
        kept: How many characters of the last word stay where they are; what is completed is put after them.
    """

    words: list[str]
    kept: int


def split_line(line: str, breaks: str) -> BashLine:
    """Take a line apart.

    Args:
        line: The command line up to the cursor, the command's name first.
        breaks: COMP_WORDBREAKS.
    """
    words, word, kept, quote, begun = list[str](), "", 0, "", False
    rest = iter(line)
    for character in rest:
        if quote:
            if character == quote:
                quote, kept = "", len(word) if character in breaks else kept
            elif character == "\\" and quote == '"':
                following = next(rest, "")
                word += following if following in '"\\$`' else f"\\{following}"
            else:
                word += character
        elif character in _BLANKS:
            if begun:
                words.append(word)
            word, kept, begun = "", 0, False
            continue
        elif character in "'\"":
            quote, kept = character, len(word)
        elif character == "\\":
            word += next(rest, "")
        else:
            word += character
            kept = len(word) if character in breaks else kept
        begun = True
    return BashLine([*words, word], kept)
