"""What fails for a moment is tried again, before anything of an answer came and never after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from support import NO_TLS, Cli, make_device
from terminals import finish, pexpect_child

from ollama_cli.sandbox.server import EmbeddedSandbox

MODEL = "gpt-oss:120b-cloud"
CROWD = f"status:429+body:{quote(json.dumps({'error': 'no concurrent request slot is free'}))}"


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Callable[..., tuple[Cli, str]]]:
    """Starts a sandbox with faults of its answers, and a command that is signed in there; its URL too."""
    with ExitStack() as stack:

        def start(*faults: str) -> tuple[Cli, str]:
            specs = [f"POST /api/generate={fault}" for fault in faults]
            sandbox = stack.enter_context(EmbeddedSandbox(tmp_path / "sandbox", faults=specs, pace=0))
            device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
            sandbox.approve(make_device(device, sandbox.url).public_key, "laptop")
            return device, sandbox.url

        yield start


def asked(url: str) -> list[dict[str, Any]]:
    """The questions that a sandbox was asked."""
    sent: list[dict[str, Any]] = httpx.get(f"{url}/sandbox/requests", trust_env=False, verify=NO_TLS).json()
    return [request for request in sent if request["target"].startswith("/api/generate")]


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        ("status:503+retry-after:0*3", 3),
        ("status:502+retry-after:0*1", 1),
        (f"{CROWD}+retry-after:0*1", 1),
        ("status:503+retry-after:Wed, 21 Oct 2015 07:28:00 GMT*1", 1),
        ("drop*1", 1),
        ("reset*1", 1),
        ("cut:0*1", 1),
        (f"line:0:{quote(json.dumps({'error': 'Server overloaded'}))}*1", 1),
    ],
    ids=["overloaded", "gateway", "crowd", "date", "dropped", "reset", "cut", "error-line"],
)
def test_it_is_tried_again(failing: Callable[..., tuple[Cli, str]], fault: str, times: int) -> None:
    device, url = failing(fault)
    done = device("run", MODEL, "Why is the sky blue?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Rayleigh") == 1
    assert done.stderr == ""  # nobody is there to be told
    requests = asked(url)
    assert len(requests) == times + 1
    assert len({json.dumps(request["body"]) for request in requests}) == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("status:429*1", 6),
        ("status:429+retry-after:0*1", 6),
        ("status:500*1", 7),
        ("status:504*1", 7),
        ("status:503+retry-after:3600*1", 7),
        (f"{CROWD}+retry-after:3600*1", 6),
        ("cut:1*1", 8),
        ("error:1*1", 8),
        ("end:0*1", 8),
    ],
    ids=[
        "quota",
        "quota-soon",
        "failure",
        "gateway-timeout",
        "long-wait",
        "long-wait-429",
        "cut",
        "error-line",
        "nothing",
    ],
)
def test_it_is_not_tried_again(failing: Callable[..., tuple[Cli, str]], fault: str, status: int) -> None:
    device, url = failing(fault)
    assert device("run", MODEL, "hi").returncode == status
    assert len(asked(url)) == 1


def test_it_is_given_up_in_the_end(failing: Callable[..., tuple[Cli, str]]) -> None:
    device, url = failing("status:503+retry-after:0")
    assert device("run", MODEL, "hi").returncode == 7
    assert len(asked(url)) == 4


def test_a_person_is_told(failing: Callable[..., tuple[Cli, str]]) -> None:
    device, _ = failing("status:503+retry-after:0*1", "drop*1")
    status, shown = finish(pexpect_child(device, "run", MODEL, "hi"))
    assert status == 0
    assert "Server overloaded; trying again now (1 of 3)." in shown
    assert "broke off; trying again in 0." in shown
    assert "(2 of 3)." in shown


def test_ctrl_c_ends_the_wait(failing: Callable[..., tuple[Cli, str]]) -> None:
    device, url = failing("status:503+retry-after:20")
    child = pexpect_child(device, "run", MODEL, "hi")
    child.expect("trying again in 2")
    child.sendintr()
    assert finish(child)[0] == 130
    assert len(asked(url)) == 1


def test_a_sign_out_that_may_have_worked_is_not_repeated(tmp_path: Path, cli: Cli) -> None:
    with EmbeddedSandbox(tmp_path / "sandbox", faults=["POST /api/signout=drop"]) as daemon:
        assert cli("signout", env={"OLLAMA_HOST": daemon.url}).returncode == 7
        sent = httpx.get(f"{daemon.url}/sandbox/requests", trust_env=False, verify=NO_TLS).json()
    assert [request["target"] for request in sent] == ["/api/signout"]
