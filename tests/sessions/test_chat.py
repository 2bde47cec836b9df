"""The chat in the recorded sessions of the reference client: the same keys make the same conversation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recorded_sessions import make_files, names, session, work
from routed_server import routed_server
from support import Cli
from terminals import Terminal

WAITS_FOR = {  # where a key answers something else than the line
    ("tty_ctrl_c_stream", 1): "tok1",
    ("tty_cloud_not_signed_in", 0): "not signed in",
    ("tty_suggests_cloud", 0): r"in the cloud\?",
}
OURS = {  # an error in a chat does not end it, and a person who is not signed in is offered to
    "tty_cloud_not_signed_in": (["\x04"], 4),
    "tty_error_midstream": (None, 0),
}


def only_loads(request: tuple[str, str, Any]) -> bool:
    """Whether a request only has a model loaded: free to do or not."""
    return request[1] == "/api/generate" and "prompt" not in request[2]


def by_model(route: dict[str, Any]) -> dict[str, Any]:
    """A route for details that was limited to the requests that the reference makes, limited to their model instead."""
    if route["path"] == "/api/show" and route.get("times") == 2:
        return {**route, "times": 10**6, "model": "tiny"}
    return route


@pytest.mark.parametrize("name", names("tty_"))
def test_session(name: str, cli: Cli, tmp_path: Path) -> None:
    recorded = session(name)
    make_files(recorded, tmp_path)
    keys, status = OURS.get(name, (None, 0))
    with routed_server([by_model(route) for route in recorded["routes"]]) as server:
        terminal = Terminal(cli, *recorded["argv"], env={"OLLAMA_HOST": server.url}, cwd=tmp_path)
        for number, typed in enumerate(keys or recorded["keys"]):
            if (name, number) in WAITS_FOR:
                terminal.until_text(WAITS_FOR[name, number])
            else:
                terminal.until_prompt()
            terminal.type(typed)
        ended = terminal.end()
    assert ended == status, terminal.text
    done = [request for request in work(server.requests) if not only_loads(request)]
    assert done == [request for request in work(recorded["expect"]["requests"]) if not only_loads(request)]
