"""A message written in an editor of the person's choice."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ollama_cli.errors import UsageError
from ollama_cli.terminal.ending import ending_by
from ollama_cli.terminal.typing_ahead import typing_a_line

_USUAL = ("notepad",) if sys.platform == "win32" else ("editor", "nano", "vi")
_SECONDS_TO_END = 2.0
_HOW_TO_CHOOSE = "OLLAMA_EDITOR names another."


def edit(text: str, command: str) -> str:
    """Have a person edit a text, in a file that only they can read.

    Args:
        text: What stands in the file at first.
        command: The editor, with its options; nothing is one that is usual here.

    Returns:
        What stands in it at last, without the line end that editors add.

    Raises:
        UsageError: The editor cannot be started, fails, or leaves no text.
    """
    with _message_folder() as folder:
        file = _message_file(Path(folder), text)
        _run([*_words(command), str(file)])
        try:
            return file.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
        except OSError as error:
            raise UsageError(f"What the editor wrote cannot be read: {error.strerror}.", code="editor") from error


def _message_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="ollama-cli-", ignore_cleanup_errors=True)
    except OSError as error:
        raise _no_file(error) from error


def _message_file(folder: Path, text: str) -> Path:
    file = folder / "message.txt"
    try:
        file.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise _no_file(error) from error
    return file


def _no_file(error: OSError) -> UsageError:
    return UsageError(
        f"No file can be written for the editor: {error.strerror}.",
        hint="Free some space, or name another folder with TMPDIR.",
        code="editor",
    )


def _words(command: str) -> list[str]:
    if not command:
        command = next((name for name in _USUAL if shutil.which(name)), _USUAL[-1])
    try:
        return shlex.split(command, posix=sys.platform != "win32")
    except ValueError:
        return [command]  # no program is called so, and that is told


def _run(words: list[str]) -> None:
    try:
        with typing_a_line(), _interrupts_are_the_editors():
            status = _call(words)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"The editor {words[0]} cannot be started: {reason}.", hint=_HOW_TO_CHOOSE, code="editor"
        ) from error
    if status != 0:
        raise UsageError(f"The editor {words[0]} ended with status {status}.", hint=_HOW_TO_CHOOSE, code="editor")


def _call(words: list[str]) -> int:
    """Run a program; its status. One that ends with us is told to, for it has the terminal to put in order."""
    process: subprocess.Popen[bytes] | None = None
    try:
        with ending_by(lambda: True):  # once it is known which process is to be told
            process = subprocess.Popen(words)  # noqa: S603 - the person chose it
        return process.wait()
    except BaseException:
        if process is not None:
            _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _interrupts_are_the_editors() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, lambda *_: None)  # not ignored: the editor would inherit that
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
