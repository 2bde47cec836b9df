"""Where the server listens: an address and a port, or a socket in the file system."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ollama_cli.errors import UsageError
from ollama_cli.serve.holder import who_holds
from ollama_cli.settings.hosts import is_loopback_name

_OWNER_ONLY = 0o600
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
_QUEUE = 1024
_SECONDS_FOR_A_LOCK, _SECONDS_BETWEEN_TRIES = 5.0, 0.02
_LONGEST_PATH = 100  # bytes of a socket's path that every system takes


def listen_at(host: str, port: int) -> socket.socket:
    """A socket at an address of this machine.

    Args:
        host: An IP address, or ``localhost``.
        port: The port; 0 is any that is free.

    Raises:
        UsageError: The address is none of this machine's, or the port cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise _no_address(host) from error
    family, _, _, _, address = found[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(_QUEUE)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise _no_address(host) from error
        raise _unavailable(host, port, error) from error
    return listener


def listen_in(path: Path) -> socket.socket:
    """A socket in the file system that only its owner can open; one that an earlier run left behind gives way.

    Raises:
        UsageError: There is something else, or a server that answers; or it cannot be made there.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("This system has no sockets in the file system.", hint="Leave out --socket.")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise UsageError(f"The path of --socket is longer than {_LONGEST_PATH} bytes.", hint="Name a shorter one.")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o777 & ~_OWNER_ONLY)  # from the first moment on
    try:
        with _alone_in(path.parent):
            _clear_away(path)
            listener.bind(str(path))
            listener.listen(_QUEUE)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"There can be no socket at {path}: {error.strerror or error}.", hint="Name another path with --socket."
        ) from error
    except UsageError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def url_of(listener: socket.socket) -> str:
    """The address that clients use."""
    host, port = listener.getsockname()[:2]
    name = _EVERYWHERE.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def is_everywhere(listener: socket.socket) -> bool:
    """Whether every address of this machine leads to it."""
    name = listener.getsockname()
    return not isinstance(name, str) and name[0] in _EVERYWHERE


def is_for_this_machine(listener: socket.socket) -> bool:
    """Whether only this machine reaches it."""
    return is_loopback_name(listener.getsockname()[0])


def remove(path: Path, listener: socket.socket, made: tuple[int, int] | None) -> None:
    """Remove the socket from the file system, at the end, unless another server's stands there by now.

    Args:
        path: Where it stands.
        listener: The socket.
        made: What ``identity`` said when it was made.
    """
    listener.close()
    with suppress(OSError), _alone_in(path.parent):
        if identity(path) == made:
            path.unlink()


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that has taken its place; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep servers apart that start or end in the same moment: one could take away what another has just made."""
    locked = _lock(folder)
    try:
        yield
    finally:
        if locked is not None:
            os.close(locked)


def _lock(folder: Path) -> int | None:
    """Lock a folder; what holds the lock until it is closed, or None where there is no folder or no such lock.

    Where others may read the folder they can lock it, too, and for ever: then it goes without.
    """
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):  # whoever uses the folder says what is wrong with it
        return None
    end = time.monotonic() + _SECONDS_FOR_A_LOCK
    with suppress(OSError):
        while time.monotonic() < end:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(_SECONDS_BETWEEN_TRIES)
    return descriptor


def _clear_away(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise UsageError(f"{path} is there already, and is no socket.", hint="Name another path with --socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a server that hangs has a queue in which nobody else may stand
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass
    raise UsageError(f"A server answers at {path} already.", hint="Use it, or end it.", code="port_unavailable")


def _no_address(host: str) -> UsageError:
    return UsageError(f"{host} is no address of this machine.", hint="Such as --host 127.0.0.1.")


def _unavailable(host: str, port: int, error: OSError) -> UsageError:
    reason = error.strerror or "it cannot be had"
    holder = ""
    if error.errno == errno.EADDRINUSE:
        reason, holder = "it is in use", who_holds(host, port)
    return UsageError(
        f"`serve` cannot listen at port {port}: {reason}{f' by {holder}' if holder else ''}.",
        hint="Name another with --port, such as --port 0 for any that is free; an Ollama server can stay where it is, "
        f"behind this one, with --daemon http://127.0.0.1:{port}.",
        code="port_unavailable",
    )
