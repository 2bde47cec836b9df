"""What the stand-in models say: always the same for the same question, and always that no model ran."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ollama_cli.sandbox.questions import Question, Said
from ollama_cli.sandbox.schemas import instance_of

LONGEST_QUOTE = 80
_WORD = re.compile(r"\s*\S+|\s+\Z")

_SKY = """\
Sunlight is a mix of every colour, and air sends **blue** light around the sky more than red. Its molecules are far \
smaller than a wave of light, and such small things scatter short waves much more strongly than long ones: this is \
*Rayleigh scattering*.

- By day, blue reaches your eyes from every direction, so the whole sky looks blue.
- At sunset, light comes a long way through the air; most of the blue is lost on it, and what is left looks red.

In short, scattering grows as `1 / wavelength**4`."""

_SORTING = """\
## Sorting words

Give `sorted()` a *key*, as the [documentation](https://docs.python.org/3/howto/sorting.html) explains:

```python
def by_length(words: list[str]) -> list[str]:
    # Words of one length stay in their order.
    return sorted(words, key=len)  # a new list


print(by_length(["plum", "fig", "apple"]))  # ['fig', 'plum', 'apple']
```

1. **The key** is called once for every word.
   - `key=str.casefold` makes *Fig* equal to *fig*
   - `reverse=True` turns the order around
2. **The order** of equal words stays as it was.

| Way | Makes a new list | Takes |
|:----|:----------------:|------:|
| `sorted(words)` | yes | n log n |
| `words.sort()` | no | n log n |

> Sorting is *stable*: so sort by the lesser key first."""

_ANSWERS = {"why is the sky blue": _SKY, "how do i sort words": _SORTING}
"""What is asked, in lower case and without marks, and what is answered."""

_SIGNATURES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP", b"BM": "BMP"}


@dataclass(frozen=True)
class Answer:
    """A model's whole answer, before it is cut into pieces.

    Attributes:
        thinking: What it thought first, in pieces.
        text: What it says, in pieces.
        tool_calls: What it calls, in Ollama's form.
        reason: Why it ended: ``stop`` or ``length``.
        prompt_words: How many words it was given.
    """

    thinking: tuple[str, ...]
    text: tuple[str, ...]
    tool_calls: tuple[dict[str, Any], ...]
    reason: str
    prompt_words: int

    @property
    def words(self) -> int:
        """How many pieces it made."""
        return len(self.thinking) + len(self.text) + len(self.tool_calls)


def answer(question: Question) -> Answer:
    """Answer a question."""
    calls = _tool_calls(question)
    text = "" if calls else _text(question)
    ends = [position for stop in question.stops if (position := text.find(stop)) >= 0]
    pieces = _pieces(text[: min(ends)] if ends else text)
    reason = "stop"
    if question.words is not None and len(pieces) > question.words:
        pieces, reason = pieces[: question.words], "length"
    thinking = _pieces(_thinking(question)) if question.thinks else ()
    return Answer(thinking, pieces, calls, reason, sum(len(said.content.split()) for said in question.messages))


def _pieces(text: str) -> tuple[str, ...]:
    """A text in words, each with the space before it; together they are the text."""
    return tuple(_WORD.findall(text))


def _last(question: Question, role: str) -> Said:
    return next((said for said in reversed(question.messages) if said.role == role), Said(role, ""))


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE].rstrip()}…"


def _thinking(question: Question) -> str:
    effort = f" with {question.think} effort" if isinstance(question.think, str) else ""
    return f"The question is “{_quote(_last(question, 'user').content)}”. I think about it{effort}, as a stand-in can."


def _text(question: Question) -> str:
    if question.format is not None:
        return json.dumps(_shaped(question), ensure_ascii=False)
    asked = _last(question, "user").content
    note = f"(This is the sandbox's stand-in for {question.model.name}. No model ran.)"
    words = " ".join(re.sub(r"[^\w\s]", "", asked.lower()).split())
    known = next((text for known_question, text in _ANSWERS.items() if known_question in words), None)
    if known is not None:
        return f"{known}\n\n{note}"
    return "\n\n".join([*_told(question, asked), note])


def _told(question: Question, asked: str) -> list[str]:
    """What a stand-in can truly say about a question: what it was given."""
    parts = [f"You said: “{_quote(asked)}”."]
    if question.messages and question.messages[-1].role == "tool":
        parts = [f"The tool said: “{_quote(question.messages[-1].content)}”."]
    system = _last(question, "system").content
    if system:
        parts.append(f"I was told to be like this: “{_quote(system)}”.")
    pictures = [image for said in question.messages for image in said.images]
    if pictures:
        seen = ", ".join(f"{_picture_kind(image)} of {len(image)} bytes" for image in pictures)
        parts.append(f"I was shown {len(pictures)} {'image' if len(pictures) == 1 else 'images'}: {seen}.")
    count = len(question.messages)
    parts.append(f"I have seen {count} {'message' if count == 1 else 'messages'} so far.")
    return [" ".join(parts)]


def _picture_kind(image: bytes) -> str:
    return next((f"a {kind}" for start, kind in _SIGNATURES.items() if image.startswith(start)), "something")


def _shaped(question: Question) -> Any:
    if isinstance(question.format, dict):
        return instance_of(question.format, text="stand-in")
    return {"answer": _quote(_last(question, "user").content), "model": question.model.name, "stand_in": True}


def _tool_calls(question: Question) -> tuple[dict[str, Any], ...]:
    """A call of the first tool, unless the last message is already what a tool said."""
    if not question.tools or not question.messages or question.messages[-1].role == "tool":
        return ()
    function = question.tools[0].get("function")
    function = function if isinstance(function, dict) else {}
    words = re.findall(r"(?<!^)\b[A-Z]\w+", _last(question, "user").content)
    arguments = instance_of(function.get("parameters"), text=words[-1] if words else "example")
    arguments = arguments if isinstance(arguments, dict) else {}
    return ({"function": {"index": 0, "name": str(function.get("name", "")), "arguments": arguments}},)
