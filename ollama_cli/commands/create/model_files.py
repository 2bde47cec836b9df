"""The files of a model on this machine: one that is named, or those of a folder, as the reference chooses them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ollama_cli.errors import SafetyError, UsageError

_SNIFFED = 512
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_POINTER = b"version https://git-lfs"

_SAFETENSORS_OR_TORCH = (  # which files a model's weights are, and what they begin with: the first row that finds any
    (("model*.safetensors", "*/model*.safetensors"), None),
    (("consolidated*.safetensors",), None),
    (("adapter*.safetensors",), None),
    (("pytorch_model*.bin",), "zip"),
    (("consolidated*.pth",), "zip"),
)
_GGUF = ((("*.gguf",), "binary"), (("*.bin",), "binary"))  # they hold all else, and a daemon takes nothing beside them
# What tells how the weights are to be read.
_TEXTS = ("*.json", "*/*.json", "chat_template.jinja")
_VOCABULARIES = ("tokenizer.model", "*/tokenizer.model")


def files_at(path: Path) -> list[Path] | None:
    """The files of a model at a path; None where nothing is there.

    Raises:
        UsageError: It cannot be read, is neither a file nor a folder, or a folder without a model in it.
        SafetyError: A file of the folder is a link that leads out of it.
    """
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            next(path.iterdir(), None)  # a folder that cannot be read would look empty
            return _files_in(Path(os.path.abspath(path)))  # noqa: PTH100 - likewise
        if stat.S_ISREG(kind):
            return [Path(os.path.abspath(path))]  # noqa: PTH100 - a link keeps its name, whose ending tells what it is
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(path, error) from error
    raise UsageError(f"{path} is neither a file nor a folder.", code="bad_file")


def names_of(paths: Sequence[Path]) -> dict[Path, str]:
    """What to call files to a daemon: their paths below the folder that all are in; one file, its own name.

    Raises:
        UsageError: A name is no text that a request can hold.
    """
    try:
        root = Path(os.path.commonpath([path.parent for path in paths]))
        names = {path: str(PurePosixPath(*path.relative_to(root).parts)) for path in paths}
    except ValueError:  # on different drives
        names = {path: path.name for path in paths}
    for name in names.values():
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"The name of the file {name!r} is no text in UTF-8.", code="bad_file") from error
    return names


def unreadable(path: Path, error: OSError) -> UsageError:
    """The error for a file that cannot be read."""
    return UsageError(f"{path} cannot be read: {error.strerror or error}.", code="bad_file")


def _files_in(folder: Path) -> list[Path]:
    found = _first(folder, _SAFETENSORS_OR_TORCH)
    if found:
        found += [*_texts(folder), *_vocabularies(folder)]
    else:
        found = _first(folder, _GGUF)
    if not found:
        raise UsageError(
            f"The folder {folder} holds no model.",
            hint="A model is model*.safetensors, consolidated*.safetensors, pytorch_model*.bin, *.gguf or *.bin.",
            code="bad_file",
        )
    return list(dict.fromkeys(_checked(folder, path) for path in found))


def _first(folder: Path, rows: Iterable[tuple[Sequence[str], str | None]]) -> list[Path]:
    return next(filter(None, (_weights(folder, patterns, kind) for patterns, kind in rows)), [])


def _weights(folder: Path, patterns: Sequence[str], kind: str | None) -> list[Path]:
    first, *below = patterns
    found = _glob(folder, first)
    if kind is not None and any(_kind_of(path) != kind for path in found):
        return []
    return [*found, *(path for pattern in below if found for path in _glob(folder, pattern))]


def _texts(folder: Path) -> list[Path]:
    found = [path for pattern in _TEXTS for path in _glob(folder, pattern)]
    for path in found:
        if _kind_of(path) != "text":
            raise UsageError(f"{path} is no text.", code="bad_file")
    return found


def _vocabularies(folder: Path) -> list[Path]:
    per_pattern = ([path for path in _glob(folder, pattern) if _kind_of(path) == "binary"] for pattern in _VOCABULARIES)
    return next(filter(None, per_pattern), [])


def _glob(folder: Path, pattern: str) -> list[Path]:
    """The regular files that a pattern finds; hidden folders, such as a downloader's cache, are not looked into."""
    found = sorted(
        path for path in folder.glob(pattern) if not path.parent.name.startswith(".") or path.parent == folder
    )
    for path in found:
        if not path.exists():
            raise UsageError(f"{path} is a link to nothing.", code="bad_file")
    return [path for path in found if path.is_file()]


def _kind_of(path: Path) -> str:
    """What a file begins with: ``zip``, ``text`` or ``binary``.

    Raises:
        UsageError: It stands for a file that was not loaded.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED)
    except OSError as error:
        raise unreadable(path, error) from error
    if start.startswith(b"PK\x03\x04"):
        return "zip"
    return "binary" if _BINARY.search(start) else "text"


def _checked(folder: Path, path: Path) -> Path:
    """A file of a folder, which is to go elsewhere: one that is there, and no link to something else.

    Raises:
        SafetyError: It is a link that leads out of the folder.
        UsageError: It cannot be read, or stands for a file that was not loaded.
    """
    real = path.resolve()
    if not real.is_relative_to(folder.resolve()):
        raise SafetyError(
            f"{path} is a link that leads out of its folder, to {real}.",
            hint="Copy the file in its place. Hugging Face's tool puts real files into the folder of --local-dir.",
        )
    try:
        with real.open("rb") as file:
            is_pointer = file.read(len(_POINTER)) == _POINTER
    except OSError as error:
        raise unreadable(path, error) from error
    if is_pointer:
        raise UsageError(
            f"{path} stands for a file that was not loaded with the rest.",
            hint="`git lfs pull` loads it.",
            code="bad_file",
        )
    return path
