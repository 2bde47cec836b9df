"""Failures that the sandbox can be told to show, written as ``--fault`` takes them.

::

    FAULT  =  [METHOD " "] PATH "=" KIND {"+" KIND} ["*" COUNT]
    KIND   =  NAME [":" ARGUMENT]

``PATH`` is a path without a query; a ``*`` at its end stands for anything, so ``*`` alone is every path (the sandbox's
own ``/sandbox`` excepted). ``COUNT`` is how many matching requests fail; without it all do. Of several faults for a
request the first that is not used up counts, so that ``/api/me=status:503*2`` and ``/api/me=status:401*1`` give 503,
503, 401, and then the truth. In an argument, ``+``, ``*`` and ``%`` are written ``%2B``, ``%2A`` and ``%25``.

Instead of an answer, before the credential is looked at:

==================  ==================================================================================================
``status:CODE``     this status, with an error as Ollama writes it
``body:TEXT``       this body, of status 200 unless ``status`` is there; ``html``, ``plain`` and ``empty`` stand for a
                    proxy's page, a line that is not JSON, and nothing
``redirect:URL``    a redirect (307) to there
``drop``            the connection is closed without an answer
``reset``           the connection is reset without an answer
==================  ==================================================================================================

Within an answer, after its first N chunks (lines of NDJSON, events of SSE; a plain answer is one chunk):

==================  ==================================================================================================
``stall:N``         nothing more comes, until the client leaves
``cut:N``           the connection is closed in the middle of the body
``flip:N``          a bit of the next chunk is another one; then the rest
``end:N``           the body ends well, as if it had been all
``garbage:N``       a line that is not JSON; then the rest
``error:N``         a line ``{"error":…}``; then the body ends
``line:N:TEXT``     the line TEXT, whatever it is; then the body ends
==================  ==================================================================================================

Beside either:

==================  ==================================================================================================
``delay:SECONDS``         this long before the first byte
``skew:SECONDS``          the server's clock is ahead by so much (negative: behind), in ``Date`` and for signatures
``retry-after:SECONDS``   a ``Retry-After`` header; any text, so that a date can be given
``header:NAME:VALUE``     any header
==================  ==================================================================================================

>>> parse_fault("POST /api/generate=status:429+retry-after:2*1").status
429
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from ollama_cli.errors import UsageError

_FORM = re.compile(
    r"(?:(?P<method>[A-Z]+) +)?(?P<path>\*|/[^\s=]*)=(?P<kinds>.+?)(?:\*(?P<count>[0-9]{1,9}))?", re.DOTALL
)
_STREAM_KINDS = ("stall", "cut", "flip", "end", "garbage", "error", "line")
_LARGEST_SKEW = 10 * 366 * 24 * 3600
_EXAMPLE = "Such as: --fault '/api/generate=status:503*2', --fault '/api/chat=cut:3', --fault '*=skew:-900'."


@dataclass(frozen=True)
class Fault:
    """One failure, and for which requests.

    Attributes:
        spec: How it was written.
        method: The only method that it is for, or None.
        path: The path; it may end in ``*``.
        count: How many requests it is for, or None for all.
        status: The status to answer, or None.
        body: The body to answer, or None.
        redirect: Where to redirect to, or None.
        drop: Whether the connection is closed without an answer.
        reset: Whether it is reset instead.
        stream: How the true answer breaks, one of ``_STREAM_KINDS``; or None.
        after: After how many chunks ``stream`` happens.
        line: What ``line`` sends.
        delay: Seconds before the first byte.
        skew: Seconds by which the server's clock is ahead.
        headers: Further headers, such as ``Retry-After``.
    """

    spec: str
    path: str
    method: str | None = None
    count: int | None = None
    status: int | None = None
    body: str | None = None
    redirect: str | None = None
    drop: bool = False
    reset: bool = False
    stream: str | None = None
    after: int = 0
    line: str = ""
    delay: float = 0.0
    skew: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()

    def matches(self, method: str, path: str) -> bool:
        """Whether it is for a request."""
        if self.method is not None and self.method != method:
            return False
        return path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path

    @property
    def answers(self) -> bool:
        """Whether it stands in the place of the true answer."""
        instead = (self.status, self.body, self.redirect)
        return self.drop or self.reset or any(value is not None for value in instead)


class FaultPlan:
    """Which requests fail, and how: the faults that were given, in their order, with what is left of each.

    Args:
        faults: The faults.
    """

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._faults = faults
        self._left = [math.inf if fault.count is None else fault.count for fault in faults]

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for a request, which counts as one use of it; or None."""
        for index, fault in enumerate(self._faults):
            if self._left[index] > 0 and fault.matches(method, path):
                self._left[index] -= 1
                return fault
        return None


def parse_fault(spec: str) -> Fault:
    """Read a fault as ``--fault`` takes it.

    Raises:
        UsageError: It is not written as it has to be.
    """
    parts = _FORM.fullmatch(spec.strip())
    if parts is None:
        raise UsageError(
            f"{spec!r} is no fault.", hint=f"Write it as [METHOD ]PATH=KIND[:ARGUMENT][*COUNT]. {_EXAMPLE}"
        )
    count = parts["count"]
    fault = Fault(spec, parts["path"], parts["method"], int(count) if count is not None else None)
    for kind in parts["kinds"].split("+"):
        name, _, argument = kind.partition(":")
        fault = replace(fault, **_read(spec, name.strip(), unquote(argument), fault))
    if fault.answers and fault.stream:
        raise UsageError(f"{spec!r} gives an answer of its own and breaks the true one.", hint="Use one of the two.")
    return fault


def _read(spec: str, name: str, argument: str, so_far: Fault) -> dict[str, Any]:
    """The attributes that one kind sets."""
    if name in _STREAM_KINDS:
        return _read_break(spec, name, argument, so_far)
    if name == "status":
        return {"status": _whole(spec, argument, 200, 599)}
    if name == "body":
        return {"body": argument}
    if name == "redirect" and argument.isascii() and argument.isprintable() and argument:
        return {"redirect": argument}
    if name in {"drop", "reset"} and not argument:
        return {name: True}
    if name in {"delay", "skew"}:
        return {name: _seconds(spec, argument, 0 if name == "delay" else -_LARGEST_SKEW)}
    if name in {"retry-after", "header"} and argument.isascii() and argument.isprintable() and argument:
        header, _, value = argument.partition(":") if name == "header" else (name, ":", argument)
        if re.fullmatch(r"[A-Za-z0-9-]+", header):
            return {"headers": (*so_far.headers, (header, value.strip()))}
    raise UsageError(
        f"{spec!r} names no failure that the sandbox can show: {name!r}.",
        hint="It knows status, body, redirect, drop, reset, stall, cut, flip, end, garbage, error, line, delay, skew, "
        f"retry-after and header. {_EXAMPLE}",
    )


def _read_break(spec: str, name: str, argument: str, so_far: Fault) -> dict[str, Any]:
    """The attributes that a break of the true answer sets."""
    if so_far.stream:
        raise UsageError(
            f"{spec!r} breaks an answer twice.", hint="Give one of stall, cut, flip, end, garbage, error and line."
        )
    after, line = argument, ""
    if name == "line":
        after, _, line = argument.partition(":")
    return {"stream": name, "after": _whole(spec, after or "0", 0, 1_000_000), "line": line}


def _whole(spec: str, text: str, lowest: int, highest: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
        raise UsageError(f"{spec!r} needs a number from {lowest} to {highest}, not {text!r}.", hint=_EXAMPLE)
    return int(text)


def _seconds(spec: str, text: str, lowest: float) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not lowest <= seconds <= _LARGEST_SKEW:
        raise UsageError(f"{spec!r} needs a number of seconds, not {text!r}.", hint=_EXAMPLE)
    return seconds
