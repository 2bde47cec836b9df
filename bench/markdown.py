"""What an answer in Markdown costs at a terminal beside its plain text: ``python bench/markdown.py [ROUNDS [KB]]``.

Every round shows each answer once, in a process of its own at a pseudo-terminal, in pieces of a few characters as
models send them. What counts is the CPU time of showing it, without the start of the process. An answer of 128 KB
beside one of 64 KB tells whether the cost grows with the text or with its square, also where all of it is one block.
"""

from __future__ import annotations

import os
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, field

from ollama_cli.api.events import Chunk
from ollama_cli.terminal.answers import AnswerPrinter
from ollama_cli.terminal.streams import Streams

ROUNDS = 5
LENGTH = 64  # KB of the shorter answer
KB = 1024
LINES, COLUMNS = 24, 80
PIECE_LENGTHS = (4, 1, 6, 3, 5, 2, 7)

ANSWER = """\
## Sorting

There are **two ways** to sort in Python, *in place* with `list.sort()` and `sorted()`, which makes a new list. The
[documentation](https://docs.python.org/3/howto/sorting.html) tells more about keys and about what is stable.

1. **Choose a key.** It is called once for every element, and what it returns is compared.
   - with `key=len` the longest word comes last
   - with `reverse=True` it comes first

2. **Call it:**

   ```python
   def by_length(words: list[str]) -> list[str]:
       \"\"\"The words, the shortest first.\"\"\"
       return sorted(words, key=len)  # stable
   ```

| Method | Time | Stable |
|--------|-----:|--------|
| merge sort | n log n | yes |
| heap sort | n log n | no |

> What is sorted stays sorted, until somebody changes it.

"""
UNITS = {
    "an answer": ("", ANSWER),
    "one code block": ("```python\n", "def f(x):\n    return sorted(x, key=len)  # by length\n\n"),
    "one list": ("", "- an item with **bold** text and `code`\n  - one within it\n"),
    "one table": ("| a | b |\n|---|---|\n", "| a cell | 12 and **more** |\n"),
    "one paragraph": ("", "some words of a paragraph with *emphasis* that goes on and on, and "),
}


def answer(kind: str, length: int) -> str:
    """An answer of so many characters."""
    beginning, unit = UNITS[kind]
    return (beginning + unit * (length // len(unit) + 1))[:length]


@dataclass
class Case:
    """Something to show.

    Attributes:
        kind: Which answer.
        kilobytes: How long it is.
        markdown: Whether it is laid out.
        seconds: What was measured.
    """

    kind: str
    kilobytes: int
    markdown: bool
    seconds: list[float] = field(default_factory=list)

    def time(self) -> float:
        """Show it once, in another process; seconds of CPU."""
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (LINES, COLUMNS))
        process = subprocess.Popen(
            [sys.executable, __file__, "--show", self.kind, str(self.kilobytes), str(int(self.markdown))],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(theirs)
        drain(ours)
        assert process.stderr is not None
        told = process.stderr.read()
        assert process.wait() == 0, told
        process.stderr.close()
        return float(told)


def drain(terminal: int) -> None:
    """Read all that is shown."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:  # that is how a pseudo-terminal ends on Linux
        pass
    finally:
        os.close(terminal)


def show(kind: str, kilobytes: int, *, markdown: bool) -> None:
    """Show an answer on stdout, and tell the seconds on stderr."""
    text, pieces, number = answer(kind, kilobytes * KB), [], 0
    while text:
        length = PIECE_LENGTHS[number % len(PIECE_LENGTHS)]
        pieces.append(Chunk(text[:length], thinking="", done=False, done_reason=""))
        text, number = text[length:], number + 1
    printer = AnswerPrinter(Streams.standard(), markdown=markdown)  # imports what it needs
    started = time.process_time()
    for piece in pieces:
        printer.show(piece)
    printer.end()
    print(time.process_time() - started, file=sys.stderr)


def main(rounds: int, length: int) -> None:
    """Measure and print."""
    lengths = (length, 2 * length)
    cases = [Case(kind, kilobytes, markdown) for kind in UNITS for markdown in (False, True) for kilobytes in lengths]
    for _ in range(rounds):
        for case in cases:
            case.seconds.append(case.time())
    least = {(case.kind, case.kilobytes, case.markdown): min(case.seconds) for case in cases}
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {rounds} rounds, interleaved; milliseconds of CPU")
    shorter, longer = f"{length} KB of", f"{2 * length} KB: plain"
    print(f"{shorter:<16} {'plain':>7} {'Markdown':>9} {'ratio':>6} {longer:>14} {'Markdown':>9}")
    for kind in UNITS:
        plain, laid_out = least[kind, length, False], least[kind, length, True]
        twice_plain, twice = least[kind, 2 * length, False] / plain, least[kind, 2 * length, True] / laid_out
        figures = f"{plain * 1e3:>7.0f} {laid_out * 1e3:>9.0f} {laid_out / plain:>6.1f}"
        print(f"{kind:<16} {figures} {twice_plain:>12.1f} x {twice:>7.1f} x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--show"]:
        show(sys.argv[2], int(sys.argv[3]), markdown=sys.argv[4] == "1")
    else:
        given = [int(argument) for argument in sys.argv[1:]]
        main(*(given + [ROUNDS, LENGTH][len(given) :]))
