"""Which server each command asks, and as whom: every combination of place and credential, with nothing sent elsewhere.

The tables say what design rules 1 to 3 and the order of credentials come to, by hand, and not by asking the program.
Servers are real: ollama.com behind a proxy, a loopback address in its place, a daemon, the daemon at the default
address, and one on another machine. Each notes what it is sent, and a sandbox answers.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from forking import Forks
from ollama_com import OllamaCom, ollama_com
from support import NO_TLS, approved_key, clean_environment
from watching_proxy import WatchingProxy

from ollama_cli import DeviceKey
from ollama_cli.credentials.chosen import open_wallet
from ollama_cli.sandbox.discovery import announce_server
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.secret import Secret
from ollama_cli.settings import Settings

# Servers, and the ways in which a command asks none.
OLLAMA_COM = "https://ollama.com"
STAND_IN = "what OLLAMA_CLOUD_BASE_URL names"
DAEMON = "what OLLAMA_HOST names"
LOCAL = "http://127.0.0.1:11434"
REMOTE = "http://box.example:11434"
SANDBOX = "the sandbox that runs"
UNSAFE = "refused: it would not be safe"
DISABLED = "refused: the cloud is disabled"
MISUSED = "refused: keys acts on what is stored, not on a file"
NOWHERE = "no request: there is nothing to ask with"

SERVERS = frozenset({OLLAMA_COM, STAND_IN, DAEMON, LOCAL, REMOTE, SANDBOX})
CLOUD = frozenset({OLLAMA_COM, STAND_IN, SANDBOX})
REFUSED = {UNSAFE: 1, MISUSED: 2, DISABLED: 5}

MODEL = "qwen3-coder:480b"
COMMANDS = {
    "cloud model": ("run", f"{MODEL}-cloud", "hi"),
    "other model": ("run", MODEL, "hi"),
    "show": ("show", f"{MODEL}-cloud"),
    "list": ("list",),
    "status": ("status",),
    "signin": ("signin", "--no-wait"),
    "signout": ("signout",),
    "keys": ("keys", "revoke", "--yes"),
}
"""``keys`` has no ``--cloud``; the others are given it where the place says so."""


@dataclass(frozen=True)
class Place:
    """What says where a command acts, and where that is.

    Attributes:
        cloud_model: Where a model whose name says cloud is asked.
        other_model: Where another one is.
        account: Where ``status``, ``signin`` and ``signout`` act.
        keys: Where ``keys`` does.
        environment: The variables; ``{daemon}`` and ``{stand_in}`` are addresses.
        option: ``--cloud`` or ``--sandbox``, where it is given.
    """

    cloud_model: str
    other_model: str
    account: str
    keys: str
    environment: tuple[str, ...] = ()
    option: str = ""

    def server(self, command: str) -> str:
        """Where a command acts, or why nowhere."""
        places = {
            "cloud model": self.cloud_model,
            "show": self.cloud_model,
            "other model": self.other_model,
            "list": self.other_model,
            "keys": self.keys,
        }
        return places.get(command, self.account)


STANDS_IN = "OLLAMA_CLOUD_BASE_URL={stand_in}"
NO_CLOUD = "OLLAMA_NO_CLOUD=1"
AUTH = "OLLAMA_AUTH=1"
AT_DAEMON, AT_REMOTE = "OLLAMA_HOST={daemon}", "OLLAMA_HOST=box.example"


def everything(server: str, *environment: str, option: str = "") -> Place:
    return Place(server, server, server, server, environment, option)


PLACES = {
    # Rule 2: no OLLAMA_HOST, or --cloud.
    "nothing": Place(OLLAMA_COM, LOCAL, OLLAMA_COM, OLLAMA_COM),
    "an empty host": Place(OLLAMA_COM, LOCAL, OLLAMA_COM, OLLAMA_COM, ("OLLAMA_HOST= ",)),
    "auth without a host": Place(OLLAMA_COM, LOCAL, OLLAMA_COM, OLLAMA_COM, (AUTH,)),
    "cloud": everything(OLLAMA_COM, option="--cloud"),
    "stand-in": Place(STAND_IN, LOCAL, STAND_IN, STAND_IN, (STANDS_IN,)),
    "stand-in, cloud": everything(STAND_IN, STANDS_IN, option="--cloud"),
    "daemon, cloud": everything(OLLAMA_COM, AT_DAEMON, option="--cloud"),
    "daemon, stand-in, auth, cloud": everything(STAND_IN, AT_DAEMON, STANDS_IN, AUTH, option="--cloud"),
    # Rule 1: another host than ollama.com.
    "daemon": Place(DAEMON, DAEMON, DAEMON, OLLAMA_COM, (AT_DAEMON,)),
    "daemon, auth": Place(DAEMON, DAEMON, DAEMON, OLLAMA_COM, (AT_DAEMON, AUTH)),
    "daemon, stand-in": Place(DAEMON, DAEMON, DAEMON, STAND_IN, (AT_DAEMON, STANDS_IN)),
    "remote": Place(REMOTE, REMOTE, REMOTE, OLLAMA_COM, (AT_REMOTE,)),
    "remote, auth": Place(UNSAFE, UNSAFE, UNSAFE, OLLAMA_COM, (AT_REMOTE, AUTH)),
    # Rule 3: ollama.com itself, in any spelling that is https.
    "https ollama.com": everything(OLLAMA_COM, "OLLAMA_HOST=https://ollama.com"),
    "ollama.com": everything(OLLAMA_COM, "OLLAMA_HOST=ollama.com"),
    "OLLAMA.com:443": everything(OLLAMA_COM, "OLLAMA_HOST='https://OLLAMA.com:443/'", AUTH),
    "ollama.com, stand-in": everything(STAND_IN, "OLLAMA_HOST=https://ollama.com", STANDS_IN),
    # ollama.com in the clear, or at another port: refused. `keys` does not go where OLLAMA_HOST says.
    "http ollama.com": Place(UNSAFE, UNSAFE, UNSAFE, OLLAMA_COM, ("OLLAMA_HOST=http://ollama.com",)),
    "Ollama.Com": Place(UNSAFE, UNSAFE, UNSAFE, OLLAMA_COM, ("OLLAMA_HOST=Ollama.Com",)),
    "ollama.com:8443": Place(UNSAFE, UNSAFE, UNSAFE, OLLAMA_COM, ("OLLAMA_HOST=https://ollama.com:8443",)),
    # No cloud: rules 2 and 3 end before any request.
    "no cloud": Place(DISABLED, LOCAL, DISABLED, DISABLED, (NO_CLOUD,)),
    "no cloud, cloud": everything(DISABLED, NO_CLOUD, STANDS_IN, option="--cloud"),
    "no cloud, ollama.com": everything(DISABLED, NO_CLOUD, "OLLAMA_HOST=ollama.com"),
    "no cloud, daemon": Place(DAEMON, DAEMON, DAEMON, DISABLED, (NO_CLOUD, AT_DAEMON)),
    # A sandbox stands before everything.
    "sandbox": everything(SANDBOX, AT_DAEMON, STANDS_IN, NO_CLOUD, AUTH, option="--sandbox"),
}

FILE, API_KEY, DEVICE_KEY, STORED = "--key-file", "OLLAMA_API_KEY", "OLLAMA_CLI_KEY", "the stored key"
NAMED, VARIABLE = "--profile", "OLLAMA_CLI_PROFILE"
KEPT, TOKEN = "the stored API key", "the token"
ORDER = (FILE, NAMED, API_KEY, DEVICE_KEY, VARIABLE, KEPT, STORED)
"""The first that is there counts at ollama.com; the current profile keeps an API key or a device key."""

PROFILES = {NAMED: "work", VARIABLE: "play"}
"""Profiles that have a key for every server; whether they are named or not, they are there."""

Held = frozenset[str]
BASIC = (FILE, API_KEY, DEVICE_KEY, STORED)
EVERY_SET = [frozenset(name for bit, name in enumerate(BASIC) if number >> bit & 1) for number in range(16)]
ALL = frozenset({*BASIC, NAMED, VARIABLE, TOKEN})
WITH_PROFILES: list[Held] = [
    frozenset({NAMED}),
    frozenset({NAMED, FILE}),
    frozenset({NAMED, API_KEY}),
    frozenset({NAMED, VARIABLE, KEPT}),
    frozenset({VARIABLE}),
    frozenset({VARIABLE, DEVICE_KEY}),
    frozenset({VARIABLE, STORED, TOKEN}),
    frozenset({KEPT, TOKEN}),
    frozenset({KEPT, API_KEY}),
    frozenset({TOKEN, STORED}),
    frozenset({TOKEN, FILE, KEPT}),
    ALL,
]


def _called(held: Held) -> str:
    return "+".join(sorted(name.strip("-").removeprefix("the ").replace(" ", "-") for name in held)) or "none"


HELD: dict[str, Held] = {_called(held): held for held in (*EVERY_SET, *WITH_PROFILES)}
"""Every set of the four that a command can be given or keep, and what profiles, API keys and tokens add to that."""

MANY = {"nothing", "stand-in", "daemon, auth", "sandbox"}
"""The places that meet profiles, kept API keys and tokens in every way; the others meet all at once."""

VARIANTS = {
    "an empty host",
    "auth without a host",
    "stand-in, cloud",
    "daemon, cloud",
    "daemon, stand-in, auth, cloud",
    "daemon, stand-in",
    "remote, auth",
    "https ollama.com",
    "OLLAMA.com:443",
    "ollama.com, stand-in",
    "http ollama.com",
    "Ollama.Com",
    "ollama.com:8443",
    "no cloud",
    "no cloud, cloud",
    "no cloud, ollama.com",
    "no cloud, daemon",
    "sandbox",
}
"""Places that are like another, or refuse or ignore whatever is there: they meet all credentials at once, and none."""

COMBINATIONS = [
    pytest.param(place, held, id=f"{place_name}-{held_name}")
    for place_name, place in PLACES.items()
    for held_name, held in HELD.items()
    if held in {frozenset(), ALL}
    or (held in EVERY_SET and place_name not in VARIANTS)
    or (held in WITH_PROFILES and place_name in MANY)
]

NOBODY, MADE = "nobody", "a key that was made for it"


def expected(place: Place, command: str, held: Held) -> tuple[str, str]:
    """Which server is asked, as whom; or why none is."""
    server = place.server(command)
    if server == SANDBOX:
        held = held & {STORED}  # it ignores every other credential, and every profile
    if command == "keys" and FILE in held:
        return MISUSED, NOBODY
    if server in REFUSED:
        return server, NOBODY
    if server not in CLOUD:
        return at_a_daemon(place, server, held)
    if command == "list":
        return server, NOBODY  # anybody may ask for it
    return server_of_nobody(server, at_the_cloud(command, held))


def server_of_nobody(server: str, who: str) -> tuple[str, str]:
    """Nobody asks nothing there."""
    return (server, who) if who != NOBODY else (NOWHERE, NOBODY)


def at_the_cloud(command: str, held: Held) -> str:
    """Who asks ollama.com, or what stands in for it."""
    kept = next((name for name in (NAMED, VARIABLE, KEPT, STORED) if name in held), NOBODY)
    if command in {"signout", "keys"}:
        return NOBODY if kept == KEPT else kept  # an API key is only forgotten; it signs nothing off
    who = kept if command == "signin" else next((name for name in ORDER if name in held), NOBODY)
    return MADE if who == NOBODY and command != "status" else who


def at_a_daemon(place: Place, server: str, held: Held) -> tuple[str, str]:
    """Who asks a daemon, if anybody does."""
    profile = next((name for name in PROFILES if name in held), None)
    if FILE in held:  # it goes where its command goes; but never in the clear
        return (server, FILE) if server != REMOTE else (UNSAFE, NOBODY)
    if TOKEN in held and profile is None and server != REMOTE:
        return server, TOKEN  # the current profile's, who has one for this server
    signs = server == DAEMON and AUTH in place.environment
    return server, (profile or (STORED if STORED in held else MADE)) if signs else NOBODY


@dataclass(frozen=True)
class World:
    """The servers, the credentials, and what runs commands."""

    sandbox: EmbeddedSandbox
    com: WatchingProxy
    way: OllamaCom
    stand_in: WatchingProxy
    daemon: WatchingProxy
    local: WatchingProxy
    attached: WatchingProxy
    forks: Forks
    folder: Path
    given: dict[str, DeviceKey | str]

    @property
    def watching(self) -> tuple[WatchingProxy, ...]:
        """All servers."""
        return self.com, self.stand_in, self.daemon, self.local, self.attached

    def origin(self, server: str) -> str:
        """The origin of a server of the tables."""
        named = {STAND_IN: self.stand_in.url, DAEMON: self.daemon.url, SANDBOX: self.attached.url}
        return named.get(server, server)

    def environment(self, home: Path, place: Place, held: Held) -> dict[str, str]:
        """The environment of a command."""
        addresses = {"daemon": self.daemon.url, "stand_in": self.stand_in.url}
        settings = (text.format(**addresses).partition("=") for text in place.environment)
        given = {name: given for name, given in self.given.items() if name in held & {API_KEY, DEVICE_KEY}}
        profile = {VARIABLE: PROFILES[VARIABLE]} if VARIABLE in held else {}
        credentials = {n: g.to_openssh().reveal() if isinstance(g, DeviceKey) else g for n, g in given.items()}
        proxies = {**self.way.environment, "HTTP_PROXY": self.daemon.url}
        return clean_environment(home) | proxies | {name: value for name, _, value in settings} | credentials | profile

    def keep(self, home: Path, held: Held) -> None:
        """Have a home keep an API key or tokens."""
        settings = Settings.from_environment({"OLLAMA_CLI_HOME": str(home / "state")})
        secrets = open_wallet(settings, new_store="file").secrets
        for name, servers in ((KEPT, (OLLAMA_COM, STAND_IN)), (TOKEN, (DAEMON, LOCAL))):
            if name in held:
                text = f"{'Bearer ' * (name == TOKEN)}{self.given[name]}"
                for server in servers:
                    secrets.put(self.origin(server), "bearer" if name == TOKEN else "api_key", Secret(text))

    def key_of(self, home: Path, server: str, profile: str = "default") -> DeviceKey | None:
        """The key that a profile in a home keeps for a server of the tables."""
        settings = Settings.from_environment({"OLLAMA_CLI_HOME": str(home / "state")})
        if server == SANDBOX:
            settings = settings._replace(home_override=home / "state" / "data" / "sandbox")
        stored = open_wallet(settings, profile=profile).find("sandbox" if server == SANDBOX else self.origin(server))
        return stored.credential if stored else None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with ExitStack() as stack:
        sandbox = stack.enter_context(EmbeddedSandbox(folder / "account", pace=0))
        com, stand_in, attached = (WatchingProxy(sandbox.url, origin=origin) for origin in (OLLAMA_COM, None, None))
        device = approved_key(sandbox)
        daemon, local = (WatchingProxy(sandbox.url, signs_as=device, origin=origin) for origin in (None, LOCAL))
        way = stack.enter_context(ollama_com(com.url, folder))
        for server in (com, stand_in, daemon, local, attached):
            stack.enter_context(server.running())
        # Whoever may listen at the default port of this machine is left alone.
        forks = Forks(folder, moved={11434: local.port})
        stack.callback(forks.close)
        in_file, in_environment = approved_key(sandbox), approved_key(sandbox)
        api_key = sandbox.make_api_key().reveal()
        given: dict[str, DeviceKey | str] = {FILE: in_file, DEVICE_KEY: in_environment, API_KEY: api_key}
        given |= {KEPT: sandbox.make_api_key().reveal(), TOKEN: "a-token-for-a-daemon"}
        (folder / "key").write_text(in_file.to_openssh().reveal())
        made = World(sandbox, com, way, stand_in, daemon, local, attached, forks, folder, given)
        _furnish(made, folder / "with nothing stored", stored=False)
        _furnish(made, folder / "with keys stored", stored=True)
        yield made


def _furnish(world: World, home: Path, *, stored: bool) -> None:
    """Make a home in which the sandbox is known, and, if wanted, a key is stored for each server."""
    data = home / "state" / "data"
    instance = httpx.get(f"{world.sandbox.url}/sandbox", trust_env=False, verify=NO_TLS).json()["sandbox"]
    announce_server(data / "sandbox", world.attached.url, instance)
    settings = Settings.from_environment({"OLLAMA_CLI_HOME": str(home / "state")})
    for profile in ("default", *PROFILES.values()) if stored else PROFILES.values():
        wallet = open_wallet(settings, new_store="file", profile=profile)
        for server in (OLLAMA_COM, STAND_IN, DAEMON, LOCAL, REMOTE):
            wallet.ensure(world.origin(server))
    if stored:
        open_wallet(settings._replace(home_override=data / "sandbox"), new_store="file").ensure("sandbox")


def whoever(credential: str, world: World, kept: dict[str, str]) -> str:
    """Whose a credential is, in the words of the tables.

    Args:
        credential: What came along.
        world: What was given.
        kept: The fingerprints of the keys that are kept for the server, and whose they are.
    """
    if credential == "none":
        return NOBODY
    for name, given in world.given.items():
        if credential == (given.fingerprint if isinstance(given, DeviceKey) else f"Bearer {given}"):
            return name
    return kept.get(credential) or f"somebody else's: {credential}"


@pytest.mark.parametrize(("place", "held"), COMBINATIONS)
def test_a_command_asks_one_server_as_one_caller(world: World, tmp_path: Path, place: Place, held: Held) -> None:
    assert world.daemon.signs_as is not None
    world.sandbox.approve(world.daemon.signs_as.public_key, "a daemon")  # another test may have signed it out
    for command in COMMANDS:
        check(world, tmp_path / command, place, held, command)


def check(world: World, home: Path, place: Place, held: Held, command: str) -> None:
    wanted = expected(place, command, held)
    server = wanted[0]
    shutil.copytree(world.folder / ("with keys stored" if STORED in held else "with nothing stored"), home)
    world.keep(home, held)
    kept = {}
    if server in SERVERS:
        for name, profile in {STORED: "default", **PROFILES}.items():
            key = world.key_of(home, server, profile)
            if key is None:
                continue
            kept[key.fingerprint] = name
            if server in CLOUD and wanted[1] == name:  # an earlier command may have signed it out
                world.sandbox.approve(key.public_key, "a test's device")
    for each in world.watching:
        each.seen.clear()
    world.way.proxy.heads.clear()

    before = ["--insecure-storage", *(["--key-file", str(world.folder / "key")] if FILE in held else [])]
    before += ["--profile", PROFILES[NAMED]] if NAMED in held else []
    before += ["--sandbox"] if place.option == "--sandbox" else []
    after = ["--cloud"] if place.option == "--cloud" and command != "keys" else []
    done = world.forks(*before, *COMMANDS[command], *after, env=world.environment(home, place, held))

    context = (command, done.returncode, done.stderr)
    made = world.key_of(home, server) if wanted[1] == MADE else None
    if made is not None:
        kept[made.fingerprint] = MADE
    asked = [seen for each in world.watching for seen in each.seen if seen.path != "/sandbox"]
    assert world.way.asked_for <= {"ollama.com:443"}
    who = {(seen.origin, whoever(seen.credential, world, kept)) for seen in asked}
    if server in REFUSED:
        assert (who, done.returncode) == (set(), REFUSED[server]), context
    elif server == NOWHERE:
        assert who == set(), context
    else:
        assert who == {(world.origin(server), wanted[1])}, context
        assert all(("ts=" in seen.query) == (seen.credential.startswith("SHA256:")) for seen in asked), context
        signs_in_first = wanted[1] == MADE and server in CLOUD
        assert (done.returncode == 0) != signs_in_first, context
