"""What the sandbox's registry holds, in files, so that it outlives a run: blobs, and what each repository has of them.

A blob belongs to the repositories that it was pushed to or mounted in. Whoever may pull from one of them can have it;
its digest alone opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ollama_cli.credentials.files import private_folder

READ_AT_ONCE = 256 * 1024


@dataclass
class Upload:
    """A blob that is being sent.

    Attributes:
        repository: Where to.
        path: The file for its bytes.
        ticket: What stands in the addresses of its parts, so that nobody else can write them.
        size: Bytes that came, or for which a part was announced.
        parts: Where each part that was redirected begins, and its size.
    """

    repository: str
    path: Path
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    size: int = 0
    parts: list[tuple[int, int]] = field(default_factory=list)

    async def append(self, content: AsyncIterator[bytes]) -> None:
        """Write what comes after what is there; what came before a client left stays."""
        with self.path.open("rb+") as file:
            file.seek(self.size)
            async for piece in content:
                self.size += file.write(piece)

    async def write_part(self, offset: int, content: AsyncIterator[bytes]) -> None:
        """Write a part that was announced."""
        with self.path.open("rb+") as file:
            file.seek(offset)
            async for piece in content:
                file.write(piece)

    def etag(self) -> str:
        """What an upload of these parts is called: the MD5 of their MD5s, and their number."""
        sums = hashlib.md5(usedforsecurity=False)
        with self.path.open("rb") as file:
            for offset, size in self.parts:
                file.seek(offset)
                part = hashlib.md5(usedforsecurity=False)
                while file.tell() < offset + size and (
                    piece := file.read(min(READ_AT_ONCE, offset + size - file.tell()))
                ):
                    part.update(piece)
                sums.update(part.digest())
        return f"{sums.hexdigest()}-{len(self.parts)}"


class RegistryFiles:
    """The files below a folder.

    Args:
        folder: The folder; it is made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uploads: dict[str, Upload] = {}

    def blob(self, digest: str) -> Path:
        """Where a blob stands, if it is there."""
        return self._folder / "blobs" / digest.replace(":", "-")

    def has(self, repository: str, digest: str) -> bool:
        """Whether a repository has a blob."""
        return self._link(repository, digest).exists() and self.blob(digest).exists()

    def put_blob(self, repository: str, digest: str, content: bytes) -> None:
        """Keep a blob whose digest is known to be right."""
        private_folder(self.blob(digest).parent)
        self.blob(digest).write_bytes(content)
        self.link(repository, digest)

    def link(self, repository: str, digest: str) -> None:
        """Have a blob belong to a repository."""
        link = self._link(repository, digest)
        private_folder(link.parent)
        link.touch()

    def manifest(self, repository: str, tag: str) -> bytes | None:
        """The manifest of a model, or None where there is none."""
        with suppress(OSError):
            return self._tag(repository, tag).read_bytes()
        return None

    def put_manifest(self, repository: str, tag: str, content: bytes) -> None:
        """Give a model this manifest."""
        path = self._tag(repository, tag)
        private_folder(path.parent)
        written = path.with_name(f".{secrets.token_hex(8)}")
        written.write_bytes(content)
        written.replace(path)

    def begin(self, repository: str) -> str:
        """Begin an upload, and name it."""
        name = secrets.token_urlsafe(16)
        path = private_folder(self._folder / "uploads") / name
        path.touch()
        self._uploads[name] = Upload(repository, path)
        return name

    def upload(self, repository: str, name: str) -> Upload | None:
        """An upload that has begun, or None where there is none of that name for a repository."""
        found = self._uploads.get(name)
        return found if found and found.repository == repository else None

    def upload_of(self, name: str, ticket: str) -> Upload | None:
        """An upload of which somebody has an address that was given for it."""
        found = self._uploads.get(name)
        return found if found and secrets.compare_digest(found.ticket.encode(), ticket.encode()) else None

    def end(self, name: str, digest: str) -> bool:
        """Take an upload for a blob. Whether its digest is right; it is gone otherwise."""
        upload = self._uploads.pop(name)
        found = hashlib.sha256()
        with upload.path.open("rb") as file:
            while piece := file.read(READ_AT_ONCE):
                found.update(piece)
        if f"sha256:{found.hexdigest()}" != digest:
            upload.path.unlink()
            return False
        private_folder(self.blob(digest).parent)
        upload.path.replace(self.blob(digest))
        self.link(upload.repository, digest)
        return True

    def _link(self, repository: str, digest: str) -> Path:
        return self._folder / "repositories" / repository / "blobs" / digest.replace(":", "-")

    def _tag(self, repository: str, tag: str) -> Path:
        return self._folder / "repositories" / repository / "tags" / tag
