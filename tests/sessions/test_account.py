"""Signing in and out through a daemon, in the recorded sessions of the reference client."""

from __future__ import annotations

import pytest
from recorded_sessions import names, session, work
from routed_server import routed_server
from support import Cli

pytestmark = pytest.mark.forked

STATUSES = {"signin_no_url": 4, "signin_not_signed_in": 4, "signin_unavailable": 7, "signout_server_error": 7}
OURS = frozenset({"signin_no_url", "signin_not_signed_in"})
"""Where the reference ends with 0 and ours does not: a refused sign-in is no success."""

SESSIONS = [name for prefix in ("signin", "signout", "login", "logout") for name in names(prefix)]


@pytest.mark.parametrize("name", SESSIONS)
def test_session(name: str, cli: Cli) -> None:
    recorded = session(name)
    expected = recorded["expect"]
    with routed_server(recorded["routes"]) as server:
        done = cli(*recorded["argv"], env={"OLLAMA_HOST": server.url})
    assert done.returncode == STATUSES.get(name, 0), done.stderr
    assert (expected["exit"] == 0) == (name not in STATUSES or name in OURS)
    assert work(server.requests) == work(expected["requests"])
    assert {request["authorization"] for request in server.requests} <= {None}
