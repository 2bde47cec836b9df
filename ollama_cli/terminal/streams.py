"""The three standard streams, and what each of them is."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, TextIO

from ollama_cli.errors import CliError, UsageError


class LastLines:
    """The last lines of a terminal, while something in them is drawn over and over.

    Attributes:
        print_above: Prints a line above them; None while nothing is drawn there.
    """

    print_above: Callable[[str], None] | None = None


class Streams(NamedTuple):
    """Standard input, output and error.

    Answers go to ``out``; everything else, the conversation with a person, goes to ``err``.

    Attributes:
        last_lines: What is drawn in the last lines of the terminal behind ``err``.
        color: Whether escape sequences may colour what a terminal shows.
        dumb: Whether the terminal knows no escape sequences at all.
    """

    input: TextIO
    out: TextIO
    err: TextIO
    last_lines: LastLines
    color: bool = True
    dumb: bool = False

    @classmethod
    def standard(cls) -> Streams:
        """The process's own streams, speaking UTF-8 whatever the locale says."""
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="replace")
        return cls(_present(sys.stdin), _present(sys.stdout), _present(sys.stderr), LastLines())

    @property
    def interactive(self) -> bool:
        """Whether a person is there to ask: stdin and stderr are terminals."""
        return self.input.isatty() and self.err.isatty()

    def piped_input(self, most: int = -1) -> str:
        """All that is piped or redirected into stdin; nothing where stdin is a terminal or a device.

        Args:
            most: Bytes after which no more is read; negative is no limit.

        Raises:
            UsageError: It cannot be read.
        """
        try:
            descriptor = self.input.fileno()
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                return ""
        except (OSError, ValueError):  # it was closed before we started
            return ""
        try:
            os.set_blocking(descriptor, True)  # whoever shares the pipe may have made it not wait
            return self.input.buffer.read(most).decode("utf-8", "replace")  # as bytes: line ends stay what they are
        except OSError as error:
            raise UsageError(f"Standard input cannot be read: {error.strerror}.") from error

    def say(self, text: str) -> None:
        """Tell a person something, on stderr, as a line of its own."""
        if self.last_lines.print_above is not None:
            self.last_lines.print_above(text)
        else:
            self.whisper(f"{text}\n")

    def whisper(self, text: str) -> None:
        """Write to stderr. Where nobody can hear it, that changes nothing about the work or its status."""
        with suppress(OSError):
            self.err.write(text)
            self.err.flush()

    def answer(self, text: str) -> None:
        """Print a line of the answer, on stdout."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Write a piece of the answer to stdout, at once.

        Raises:
            BrokenPipeError: The reader went away.
            CliError: It cannot be written, as on a full disk.
        """
        try:  # not `_writing`: it would be a fifth of what a long answer costs here
            self.out.write(text)
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise cannot_write(error) from error

    def write_bytes(self, data: bytes) -> None:
        """Write a piece of an answer to stdout as it is, at once.

        Raises:
            BrokenPipeError: The reader went away.
            CliError: It cannot be written, as on a full disk.
        """
        if not isinstance(self.out, io.TextIOWrapper):  # it was closed before we started
            return
        with _writing():
            self.out.flush()
            self.out.buffer.write(data)
            self.out.buffer.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_write(error) from error


def columns(stream: TextIO) -> int:
    """How wide the terminal behind a stream is now, in columns; 0 where that is not known."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


def terminal_size(stream: TextIO) -> tuple[int, int] | None:
    """How wide and how tall the terminal behind a stream is now, in columns and lines; None where that is not known."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return None
    return (size.columns, size.lines) if size.columns and size.lines else None


def cannot_write(error: OSError) -> CliError:
    """The error for a stdout, or a file in its place, that takes no more."""
    return CliError(f"The output cannot be written: {error.strerror}.", hint="The disk may be full.", code="output")


def _present(stream: TextIO | None) -> TextIO:
    """A stream that was closed before we started is an empty one."""
    return stream if stream is not None else io.StringIO()
