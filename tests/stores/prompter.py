"""The window in which gnome-keyring asks for a password, and a person who closes it or leaves it open.

gnome-keyring asks whoever owns a name on its bus to show the window; here that is a thread.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call, new_method_return
from jeepney.io.blocking import DBusConnection, open_dbus_connection

NAME = "org.gnome.keyring.SystemPrompter"
_CALLBACK = "org.gnome.keyring.internal.Prompter.Callback"


@contextmanager
def prompter(address: str, *, closes: bool) -> Iterator[threading.Event]:
    """Show windows for the keyring on a bus.

    Args:
        address: The bus.
        closes: Whether the person closes the window; else it stays open.

    Yields:
        An event that is set once a window is open.
    """
    asked = threading.Event()
    with closing(open_dbus_connection(address)) as connection:
        bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        connection.send_and_get_reply(new_method_call(bus, "RequestName", "su", (NAME, 0)))
        ending = threading.Event()
        thread = threading.Thread(target=_show, args=(connection, asked, ending), kwargs={"closes": closes})
        thread.start()
        try:
            yield asked
        finally:
            ending.set()
            thread.join(10)


def _show(connection: DBusConnection, asked: threading.Event, ending: threading.Event, *, closes: bool) -> None:
    while not ending.is_set():
        with suppress(TimeoutError, ConnectionError):
            message = connection.receive(timeout=0.05)
            if message.header.message_type is not MessageType.method_call:
                continue
            connection.send(new_method_return(message))
            fields = message.header.fields
            callback = DBusAddress(message.body[0], fields[HeaderFields.sender], _CALLBACK)
            if fields[HeaderFields.member] == "BeginPrompting":
                connection.send(new_method_call(callback, "PromptReady", "sa{sv}s", ("", {}, "")))
            elif fields[HeaderFields.member] == "PerformPrompt":
                asked.set()
                if closes:
                    connection.send(new_method_call(callback, "PromptReady", "sa{sv}s", ("no", {}, "")))
