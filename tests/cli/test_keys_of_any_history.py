"""Sign-in, sign-out, rotation, revocation, import and changes of profile in any order, with crashes and server faults.

Two rules hold at any moment. A key that the server knows is never lost here; and a key that is forgotten here is not
left at the server unsaid. And whatever has happened, a few commands bring everything to rest.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from in_process import Crashes, Done, fail, run_here, without_waits

from ollama_cli import DeviceKey
from ollama_cli.sandbox.accounts import Accounts
from ollama_cli.sandbox.server import EmbeddedSandbox

PROFILES = ("default", "work")
PAGE = "/settings/keys"

crashes_at = st.one_of(st.just(0), st.integers(1, 16))
faults = st.sampled_from(
    [
        "",
        "",
        "",
        "DELETE *=drop*8",
        "DELETE *=cut:0*8",
        "DELETE *=body:html*1",
        "DELETE *=status:401+body:html*1",
        "DELETE *=status:500*1",
        "POST /api/me=status:500*1",
        "POST /api/me=body:html*1",
        "*=status:401*1",
        "*=status:404*2",
        "*=skew:90000",
    ]
)
whose = st.sampled_from(PROFILES)
numbers = st.integers(0, 3)
"""Which key of those that there are then: what is drawn must not depend on how far a command has come."""

often = st.sampled_from([True, True, True, False])

NAMED = "one of the keys"
ENDINGS: tuple[tuple[str, ...], ...] = (
    ("signout",),
    ("signout", "--local-only"),
    ("keys", "revoke", "--yes"),
    ("keys", "revoke", "--yes", NAMED),
    ("keys", "rotate", "--cancel"),
    ("profile", "remove", "--yes", "work"),
    ("profile", "remove", "--yes", "work", "--local-only"),
)


class Histories(RuleBasedStateMachine):
    """A machine with two profiles, at an account that a person looks after."""

    cloud: ClassVar[EmbeddedSandbox]
    accounts: ClassVar[Accounts]
    crashes: ClassVar[Crashes]
    home: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        for known in self.accounts.devices():
            self.accounts.remove(known.public_key)
        self.environment = {"OLLAMA_CLI_HOME": str(self.home / "state"), "OLLAMA_CLOUD_BASE_URL": self.cloud.url}
        self.ours = set[str]()
        self.left = set[str]()

    # What is

    @property
    def at_server(self) -> set[str]:
        """Those of our keys that are on the account."""
        return {device.public_key for device in self.accounts.devices()} & self.ours

    def here(self) -> set[str]:
        """The keys whose private half is on this machine."""
        folder = self.home / "state" / "data" / "keys"
        files = [path for path in folder.glob("*") if not path.name.startswith(("api-key", "token", "."))]
        return {DeviceKey.from_openssh(path.read_text()).public_key for path in files}

    def listed(self) -> list[dict[str, str]]:
        """What the list says of each key."""
        index = self.home / "state" / "data" / "credentials.json"
        if not index.exists():
            return []
        records: list[dict[str, str]] = json.loads(index.read_text())["credentials"]
        return records

    def signing(self) -> dict[str, str]:
        """The key that signs for each profile."""
        return {key["profile"]: key["public_key"] for key in self.listed() if key.get("role", "current") == "current"}

    # What happens

    def run(self, *args: str, crash: int = 0, fault: str = "", forgets: bool = False, stdin: str = "") -> Done:
        """Run a command, and look at what became of the keys.

        Args:
            args: Its arguments.
            crash: At which seam it crashes.
            fault: How the server fails.
            forgets: Whether it was told to forget keys that may be on the account.
            stdin: What is piped in.
        """
        given = self.home / "stdin"
        given.write_text(stdin)
        worked = {key for key in self.signing().values() if key in self.at_server & self.here()}
        known = self.at_server
        fail(self.cloud, *([fault] if fault else []))
        self.crashes.arm(crash)
        done = run_here(self.environment, "--insecure-storage", *args, stdin=given)
        self.crashes.arm(0)
        fail(self.cloud)
        assert "Traceback" not in done.said
        assert done.status != 1 or "unexpected" not in done.said, done.said
        self.ours |= self.here()
        self.left -= self.here()
        lost = self.at_server - self.here() - self.left
        if lost:
            assert forgets, (args, done, lost, self.listed())
            assert lost <= known, (args, done, lost, known)
            assert done.status is None or PAGE in done.said, (args, done, lost)
            self.left |= lost
        if args[-3:-1] == ("keys", "rotate") and worked:
            now = set(self.signing().values())
            assert len(now & self.at_server & self.here()) >= len(worked), (args, done)
        return done

    def approve(self, public_key: str) -> None:
        self.cloud.approve(public_key, "device")

    def approve_key_of(self, profile: str, role: str) -> None:
        """Do what a person does who opens the link of a profile's key, if it has one that is still worth something."""
        for key in self.listed():
            if (key["profile"], key.get("role", "current")) == (profile, role) and key["public_key"] in self.here():
                self.approve(key["public_key"])

    @initialize(profiles=st.sampled_from([("default",), PROFILES]))
    def begin(self, profiles: tuple[str, ...]) -> None:
        for profile in profiles:
            self.signin(profile, 0, "", approved=True)

    @rule(profile=whose, crash=crashes_at, fault=faults, approved=often)
    def signin(self, profile: str, crash: int, fault: str, *, approved: bool) -> None:
        self.run("--profile", profile, "signin", "--no-wait", crash=crash, fault=fault)
        if approved:
            self.approve_key_of(profile, "current")

    @rule(profile=whose, crashes=st.tuples(crashes_at, crashes_at), faults=st.tuples(faults, faults), approved=often)
    def rotate(self, profile: str, crashes: tuple[int, int], faults: tuple[str, str], *, approved: bool) -> None:
        """Begin a rotation, or go on with one; a person approves it, and it goes on."""
        for crash, fault in zip(crashes, faults, strict=True):
            self.run("--profile", profile, "keys", "rotate", "--no-wait", crash=crash, fault=fault)
            if approved:
                self.approve_key_of(profile, "new")

    @rule(profile=whose, command=st.sampled_from(ENDINGS), crash=crashes_at, fault=faults, number=numbers)
    def end(self, profile: str, command: tuple[str, ...], crash: int, fault: str, number: int) -> None:
        """Sign out, revoke a key, give a rotation up, remove a profile."""
        if command[-1] == NAMED:
            listed = [key["public_key"] for key in self.listed()] or [DeviceKey.generate().public_key]
            command = (*command[:-1], listed[number % len(listed)])
        whom = [] if command[0] == "profile" else ["--profile", profile]
        self.run(*whom, *command, crash=crash, fault=fault, forgets="--local-only" in command)

    @rule(
        profile=whose,
        crash=crashes_at,
        fault=faults,
        api_key=often.map(lambda often: not often),
        approved=st.booleans(),
    )
    def take_in(self, profile: str, crash: int, fault: str, *, api_key: bool, approved: bool) -> None:
        """Import a key, or sign in with an API key."""
        command = "signin --api-key" if api_key else "keys import -"
        if api_key:
            given = self.cloud.make_api_key().reveal()
        else:
            key = DeviceKey.generate()
            given = key.to_openssh().reveal()
            if approved:
                self.approve(key.public_key)
        self.run("--profile", profile, *command.split(), crash=crash, fault=fault, stdin=given)

    @rule(profile=whose, fault=faults, what=st.sampled_from(["look", "look", "use", "take off"]), number=numbers)
    def meanwhile(self, profile: str, fault: str, what: str, number: int) -> None:
        """Look at the status, have another profile count, or take a device off at the account's page."""
        if what == "look":
            self.run("status", fault=fault)
        elif what == "use":
            self.run("profile", "use", profile)
        elif self.at_server:
            known = sorted(self.at_server)
            self.accounts.remove(known[number % len(known)])

    # What holds

    @invariant()
    def what_is_listed_and_at_the_server_is_here(self) -> None:
        for key in self.listed():
            assert key["public_key"] not in self.at_server - self.left or key["public_key"] in self.here()

    @invariant()
    def no_profile_has_two_keys_that_sign(self) -> None:
        signing = [key["profile"] for key in self.listed() if key.get("role", "current") == "current"]
        assert len(signing) == len(set(signing))
        assert len(self.listed()) <= 2 * len(set(signing)) or not signing

    def teardown(self) -> None:
        """A person finishes what is under way, and then signs everything out: nothing remains anywhere."""
        for profile in PROFILES:
            self.approve_key_of(profile, "new")
            self.run("--profile", profile, "keys", "rotate", "--no-wait")
            self.run("--profile", profile, "signout")
            self.run("--profile", profile, "signin", "--no-wait")  # takes up what a crash has left unlisted
            self.run("--profile", profile, "signout")
        assert self.at_server <= self.left
        assert self.here() == set()
        assert self.listed() == []


@pytest.fixture
def histories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Histories]]:
    """The machine, at a sandbox of its own."""
    without_waits(monkeypatch)
    with EmbeddedSandbox(tmp_path / "cloud") as cloud:
        Histories.cloud, Histories.accounts = cloud, Accounts(tmp_path / "cloud")
        Histories.crashes, Histories.home = Crashes(monkeypatch), tmp_path / "home"
        yield Histories


def test_no_key_is_lost_and_none_left_unsaid(histories: type[Histories]) -> None:
    run_state_machine_as_test(
        histories,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # a shorter history of a failure would take minutes to find
            suppress_health_check=list(HealthCheck),
        ),
    )
