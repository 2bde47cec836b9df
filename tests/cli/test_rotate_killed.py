"""``keys rotate`` killed at every step: the next run finishes it, and no key is lost or left behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from forking import KILLED_AT, Forks
from rotating import NOTHING, Rotating, rotating, signed_in_at
from stores.secret_service import secret_service
from support import until

from ollama_cli import DeviceKey

ROTATE = ("keys", "rotate")
FEWEST_STEPS, MOST_STEPS = 5, 60


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    running = Forks(tmp_path_factory.mktemp("forks"), moved={})
    yield running
    running.close()


def killed_at(step: int, there: Rotating, forks: Forks, *args: str) -> bool:
    """Run a command that dies before its n-th step; whether it had so many."""
    done = forks(*args, env={**there.device.environment, KILLED_AT: str(step)})
    assert done.returncode in {0, 4, -signal.SIGKILL}, done.stderr
    return done.returncode == -signal.SIGKILL


def approve_what_waits(there: Rotating) -> None:
    """Approve the new key, as a person does who has the link."""
    there.approve(there.begin())


def test_killed_at_every_step_up_to_the_link(tmp_path: Path, forks: Forks) -> None:
    with rotating(tmp_path) as begun:
        for step in range(1, MOST_STEPS + 1):
            there = signed_in_at(begun.cloud, begun.accounts, tmp_path / str(step))
            killed = killed_at(step, there, forks, *ROTATE, "--no-wait")
            assert there.on_account == {there.old.public_key}, step
            assert there.has_a_working_key(), step
            approve_what_waits(there)
            done = forks(*ROTATE, env=there.device.environment)
            assert done.returncode == 0, (step, done.stderr)
            assert there.is_done(), step
            if not killed:
                break
    assert FEWEST_STEPS < step < MOST_STEPS


def test_killed_at_every_step_after_the_approval(tmp_path: Path, forks: Forks) -> None:
    with rotating(tmp_path) as begun:
        kill_after_the_approval(begun, forks, tmp_path)


def test_killed_at_every_step_after_the_approval_with_a_keyring(
    tmp_path: Path, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secret_service(tmp_path / "secrets") as service, rotating(tmp_path) as begun:
        service.use(monkeypatch)
        kill_after_the_approval(begun, forks, tmp_path, "keyring", {"DBUS_SESSION_BUS_ADDRESS": service.address})


def kill_after_the_approval(
    begun: Rotating, forks: Forks, folder: Path, store: str = "file", environment: Mapping[str, str] = NOTHING
) -> None:
    for step in range(1, MOST_STEPS + 1):
        there = signed_in_at(begun.cloud, begun.accounts, folder / str(step), store, environment)
        approve_what_waits(there)
        killed = killed_at(step, there, forks, *ROTATE)
        assert there.has_a_working_key(), step
        assert there.on_account <= there.here, step  # a key that the server knows is never lost here
        if not there.is_done():
            done = forks(*ROTATE, env=there.device.environment)
            assert done.returncode == 0, (step, done.stderr)
            assert there.is_done(), step
        if not killed:
            break
    assert FEWEST_STEPS < step < MOST_STEPS


def requests(there: Rotating, start: str) -> int:
    sent = httpx.get(f"{there.cloud.url}/sandbox/requests", trust_env=False).json()
    return sum(f"{request['method']} {request['target']}".startswith(start) for request in sent)


AT_THE_SERVER: dict[str, tuple[str, str, int]] = {
    "asked for the old key's account": ("POST /api/me=stall:0*1", "POST /api/me", 1),
    "asked for the new key's account": ("POST /api/me=stall:0*1", "POST /api/me", 1),
    "asked to take the old key off": ("DELETE *=delay:600*1", "DELETE /api/user/keys", 1),
    "has taken the old key off": ("DELETE *=stall:0*1", "DELETE /api/user/keys", 1),
}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", AT_THE_SERVER)
def test_killed_while_the_server_has_the_request(tmp_path: Path, moment: str, number: signal.Signals) -> None:
    fault, request, count = AT_THE_SERVER[moment]
    with rotating(tmp_path, fault) as there:
        if "old key's account" not in moment:
            approve_what_waits(there)
        cut = there.device.start(*ROTATE)
        until(lambda: requests(there, request) >= count, cut)
        if "has taken" in moment:
            until(lambda: there.old.public_key not in there.on_account)
        cut.send_signal(number)
        _, err = cut.communicate(timeout=20)
        assert cut.returncode == (130 if number is signal.SIGINT else -number)
        assert "Traceback" not in err
        assert there.has_a_working_key()
        assert there.on_account <= there.here
        if "old key's account" in moment:
            approve_what_waits(there)
        done = there.device(*ROTATE)
        assert done.returncode == 0, done.stderr
        assert there.is_done()


def test_what_a_kill_leaves_of_a_file_is_removed_with_the_next(tmp_path: Path) -> None:
    with rotating(tmp_path) as there:
        leftover = there.files[0].with_name(f".{there.files[0].name}%232.abcdefgh")
        leftover.write_text(DeviceKey.generate().to_openssh().reveal())
        approve_what_waits(there)
        assert there.device(*ROTATE).returncode == 0
        assert there.is_done()
