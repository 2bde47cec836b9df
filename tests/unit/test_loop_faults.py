"""What an event loop could not handle: which of it is a fault, and which is the life of a server."""

from __future__ import annotations

import selectors
import socket

import pytest

from ollama_cli.transport.loop_faults import is_fault


def test_a_listener_that_was_closed_before_it_could_listen_anew_is_no_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, selectors.DefaultSelector() as selector:
        listener.close()
        with pytest.raises(ValueError, match="-1") as raised:
            selector.register(listener, selectors.EVENT_READ)
    assert not is_fault({"exception": raised.value})


@pytest.mark.parametrize("error", [ConnectionResetError(), OSError(24, "Too many open files")], ids=repr)
def test_connections_that_break_and_one_too_many_are_no_faults(error: OSError) -> None:
    assert not is_fault({"exception": error})


@pytest.mark.parametrize(
    "told", [{"exception": ValueError("x")}, {"exception": KeyError()}, {"message": "x"}], ids=repr
)
def test_all_else_is(told: dict[str, object]) -> None:
    assert is_fault(told)
