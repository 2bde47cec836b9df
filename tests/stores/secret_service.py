"""A real Secret Service on a D-Bus of its own: gnome-keyring, started for a test and ended with it."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

NAME = "org.freedesktop.secrets"
SECONDS = 30.0
PASSWORD = "pw"

# No service directory: nothing can be activated, so that only the keyring which is started here ever answers.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True)
class SecretService:
    """Where a keyring answers."""

    address: str
    process: subprocess.Popen[str] | None = None

    def kill(self) -> None:
        """End the keyring and leave its bus."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=SECONDS)

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """Have this process find it, and no other."""
        patch.setenv("DBUS_SESSION_BUS_ADDRESS", self.address)

    def lock(self) -> None:
        """Lock its collection, as a person's screen lock does."""
        import secretstorage

        with closing(self._connection()) as connection:
            secretstorage.get_default_collection(connection).lock()

    def unlock(self) -> None:
        """Unlock it again, as a person's password does."""
        import secretstorage
        from jeepney import DBusAddress, new_method_call

        path = "/org/freedesktop/secrets"
        service = DBusAddress(path, NAME, "org.freedesktop.Secret.Service")
        master = DBusAddress(path, NAME, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface")
        with closing(self._connection()) as connection:
            opened = connection.send_and_get_reply(new_method_call(service, "OpenSession", "sv", ("plain", ("s", ""))))
            collection = secretstorage.get_default_collection(connection)
            secret = (opened.body[1], b"", PASSWORD.encode(), "text/plain")
            unlocking = new_method_call(
                master, "UnlockWithMasterPassword", "o(oayays)", (collection.collection_path, secret)
            )
            connection.send_and_get_reply(unlocking)
            assert not collection.is_locked()

    def _connection(self) -> Any:
        from jeepney.io.blocking import open_dbus_connection

        return open_dbus_connection(self.address)

    def wait(self) -> None:
        """Wait until it answers."""
        from jeepney import DBusAddress, new_method_call

        bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        deadline = time.monotonic() + SECONDS
        with closing(self._connection()) as connection:
            question = new_method_call(bus, "NameHasOwner", "s", (NAME,))
            while not connection.send_and_get_reply(question).body[0]:
                assert time.monotonic() < deadline, "gnome-keyring does not answer"
                threading.Event().wait(0.02)


@contextmanager
def secret_service(folder: Path, *, unlocked: bool = True) -> Iterator[SecretService]:
    """Start one.

    Args:
        folder: Its home.
        unlocked: Whether it has a login keyring, which is unlocked; else it has none at all.
    """
    for program in ("dbus-daemon", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            missing = f"{program} is missing: apt-get install gnome-keyring dbus"
            pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    runtime, data = folder / "run", folder / "home" / ".local" / "share"
    data.mkdir(parents=True)
    runtime.mkdir(mode=0o700)
    configuration = folder / "bus.conf"
    configuration.write_text(_BUS, encoding="utf-8")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "XDG_DATA_HOME": str(data),
        "XDG_RUNTIME_DIR": str(runtime),
        "LANG": "C.UTF-8",
    }
    with ExitStack() as stack:
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(_end, bus)
        assert bus.stdout is not None
        service = SecretService(bus.stdout.readline().strip())
        unlock = ["--unlock"] if unlocked else []
        keyring = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--components=secrets", *unlock],
            env={**environ, "DBUS_SESSION_BUS_ADDRESS": service.address},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stack.callback(_end, keyring)
        assert keyring.stdin is not None
        keyring.stdin.write(PASSWORD)
        keyring.stdin.close()
        service.wait()
        yield replace(service, process=keyring)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=SECONDS)
    if process.stdout is not None:
        process.stdout.close()
