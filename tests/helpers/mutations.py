"""What hostile input is made of: a real document with parts of it changed, and its text cut, doubled or damaged.

What is drawn stays close to what is read every day, so that it comes past the first check of a parser and meets those
that stand behind it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from ollama_cli.errors import CliError

_LONG_NUMBER = "a number of five thousand digits"
_DEEP = "brackets in brackets"
_TEXTS = {json.dumps(_LONG_NUMBER): "9" * 5000, json.dumps(_DEEP): "[" * 3000 + "]" * 3000}
"""What Python's own writer does not write, by what stands in its place until the text is made."""

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What must not come to a terminal from others."""

EVIL = "\x1b]52;c;aGFjaw==\x07\x1b[2Jnews\u202e\u2066\x9b31m\r\n\x00"
"""A text that does all to a terminal that a text can do."""

_ODD_TEXTS = [
    *("", " ", "0", "null", "\0", "\ud800", "\udfff\ud800", EVIL, "x" * 5000, "\u2028", "\ufeff", "../../x"),
    *("{", '{"a":', "NaN", "1e999", "http://[", "\u00b2", "sha256:" + "0" * 64),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"),
]
_ODD_NUMBERS = [0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**25, 10**400, 0.5, -0.0, 1e308, 1e-320]
_NO_NUMBERS = [float("nan"), float("inf"), float("-inf"), _LONG_NUMBER]

odd_texts = st.sampled_from(_ODD_TEXTS) | st.text(st.characters(exclude_categories=[]), max_size=12)
odd_values = st.one_of(
    st.sampled_from([None, True, False, [], {}, [None], [[[]]], {"name": None}, {"": {"": []}}, _DEEP]),
    st.sampled_from(_ODD_NUMBERS),
    st.sampled_from(_NO_NUMBERS),
    st.integers(),
    odd_texts,
).map(copy.deepcopy)  # a part of what is drawn may be changed in turn
"""What nobody expects in the place of a value."""


def examples(number: int) -> settings:
    """So many examples of a test; with the profile ``long`` so many times as many, as that profile has."""
    most = settings.default.max_examples if settings.default is not None else 100
    return settings(max_examples=max(1, number * most // 100))


def failure_of(act: Callable[[], object]) -> CliError | None:
    """The error of ours that something ends with, or None where it does not; any other is for the test to show."""
    try:
        act()
    except CliError as error:
        return error
    return None


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """A JSON document with one to three of its parts left out, replaced, repeated, or put in the place of others."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(document))
        if not places:
            return draw(odd_values)
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        act = draw(st.sampled_from(["replace", "replace", "replace", "leave out", "repeat", "put elsewhere", "wrap"]))
        if act == "leave out":
            del holder[key]
        elif act == "replace":
            holder[key] = draw(odd_values)
        elif act == "wrap":
            holder[key] = draw(st.sampled_from([[holder[key]], {"name": holder[key]}, json.dumps(holder[key])]))
        elif act == "repeat" and isinstance(holder, list):
            holder.insert(key, holder[key])
        else:
            others = [other[name] for other, name in places if not _holds(other[name], holder)]
            holder[key] = copy.deepcopy(others[draw(st.integers(0, len(others) - 1))]) if others else None
    return document


@st.composite
def written(draw: st.DrawFn, document: Any) -> bytes:
    """A changed document as bytes: in one of the ways in which JSON is written, or in one in which it is not."""
    content = draw(changed(document))
    text = json.dumps(content, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    for placeholder, odd in _TEXTS.items():
        text = text.replace(placeholder, odd)
    if isinstance(content, dict) and draw(st.integers(0, 9)) == 0:  # a name that stands twice
        name = draw(st.sampled_from([*content, "error"]))
        text = f"{{{json.dumps(name)}: {json.dumps(draw(odd_texts))}, {text[1:]}"
    plain = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 5)):
        return plain
    return draw(damaged(plain) | st.sampled_from([text.encode("utf-16", "surrogatepass"), b"\xef\xbb\xbf" + plain]))


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes of which some are other ones, or left out, or doubled, or that end too soon."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        act = draw(st.sampled_from(["cut off", "change", "insert", "leave out", "double"]))
        length = draw(st.integers(1, 16))
        if act == "cut off":
            content = content[:at]
        elif act == "double":
            content = content[:at] + content[at : at + length] * 2 + content[at + length :]
        else:
            put = b"" if act == "leave out" else draw(st.binary(min_size=1, max_size=4))
            taken = {"insert": 0, "change": len(put)}.get(act, length)
            content = content[:at] + put + content[at + taken :]
    return content


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Where something stands in a document: what holds it, and under which name or number."""
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in list(pairs):
        yield document, key
        yield from _places(value)


def _holds(outer: Any, inner: Any) -> bool:
    return outer is inner or any(_holds(holder[key], inner) for holder, key in _places(outer))
