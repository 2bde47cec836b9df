"""Attempts to have the account's key sign for another server than ollama.com. All servers are on loopback and real."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import pytest
from intercepting_proxy import Interception, intercepting
from stub_server import Answer, Received, stub_server
from support import Cli

from ollama_cli import DeviceKey

CLOUD = "ollama.com:443"
EVIL = "ollama.com.evil.example"
NAMES = ["ollama.com", "*.ollama.com", EVIL, "*.evil.example", "evil.example", "evil-ollama.com", "xn--ollam-8ve.com"]
UNAUTHORIZED: Answer = (401, {}, b'{"error":"unauthorized"}')


def refuse(_: str, __: Received) -> Answer:
    return UNAUTHORIZED


@dataclass
class Traveller:
    """A device that has a key for ollama.com, and a way to every other server.

    Attributes:
        cli: The command.
        public_key: The public key line of the key for ollama.com, which is on an account.
        seen: What was sent to any server, and to which.
    """

    cli: Cli
    public_key: str
    seen: Interception

    @property
    def reached(self) -> list[str]:
        """The servers that something was sent to."""
        return [server for server, _ in self.seen.received]

    @property
    def signed_for(self) -> set[str]:
        """The servers that got a signature of the account's key."""
        return {server for server, request in self.seen.received if request.public_key == self.public_key}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a key for ollama.com."""
    folder = tmp_path_factory.mktemp("home")
    with intercepting(folder, NAMES, refuse) as seen:
        done = Cli(folder, seen.environment)("--insecure-storage", "signin", "--no-wait")
    assert done.returncode == 4
    assert done.stdout.startswith("https://ollama.com/connect?")
    assert [server for server, _ in seen.received] == [CLOUD]
    return folder


@pytest.fixture
def travel(tmp_path: Path, home: Path) -> Callable[..., AbstractContextManager[Traveller]]:
    """Starts a traveller whose requests are answered as it is told."""
    shutil.copytree(home / "state", tmp_path / "state")
    (key,) = (tmp_path / "state" / "data" / "keys").iterdir()
    public_key = DeviceKey.from_openssh(key.read_text()).public_key

    @contextmanager
    def traveller(answer: Callable[[str, Received], Answer] = refuse) -> Iterator[Traveller]:
        with intercepting(tmp_path, NAMES, answer) as seen:
            yield Traveller(Cli(tmp_path, seen.environment), public_key, seen)

    return traveller


Travel = Callable[..., AbstractContextManager[Traveller]]

HOSTS = {
    # what OLLAMA_HOST says: the status, and the server that is reached
    "https://ollama.com": (4, CLOUD),
    "HTTPS://OLLAMA.COM": (4, CLOUD),
    "https://ollama.com.": (4, CLOUD),
    f"https://{EVIL}": (4, f"{EVIL}:443"),
    f"https://{EVIL.upper()}": (4, f"{EVIL}:443"),
    "https://www.ollama.com": (4, "www.ollama.com:443"),
    "https://evil-ollama.com": (4, "evil-ollama.com:443"),
    "https://xn--ollam-8ve.com": (4, "xn--ollam-8ve.com:443"),
    "https://evil.example/ollama.com": (4, "evil.example:443"),
    "https://evil.example/https://ollama.com": (4, "evil.example:443"),
    "https://ollama.com:8443": (1, None),
    "ollama.com:443": (1, None),
    "OLLAMA.COM": (1, None),
    "http://ollama.com": (1, None),
    "http://ollama.com:443": (1, None),
    "http://ollama.com.": (1, None),
    f"http://{EVIL}": (1, None),
    f"{EVIL}:443": (1, None),
    "https://ollama.com@evil.example": (2, None),
    "https://ollama.com:443@evil.example": (2, None),
    "https://ollama.com%40evil.example": (2, None),
    "https://ollama.com\\@evil.example": (2, None),
    "https://ollama.com#@evil.example": (2, None),
    "https://ollama.com?@evil.example": (2, None),
    "https://ollam\u0430.com": (2, None),
    "https://ollama\uff0ecom": (2, None),
    "https://ollama.com\u200b": (2, None),
    "ftp://ollama.com": (2, None),
}


@pytest.mark.parametrize("host", HOSTS, ids=ascii)
def test_the_account_s_key_signs_for_no_other_host(travel: Travel, host: str) -> None:
    status, server = HOSTS[host]
    with travel() as device:
        done = device.cli("--insecure-storage", "status", env={"OLLAMA_HOST": host, "OLLAMA_AUTH": "1"})
        assert done.returncode == status, done.stderr
        assert device.reached == ([server] if server else [])
        assert device.signed_for == ({CLOUD} if server == CLOUD else set())
        if server is not None:
            assert device.seen.received[0][1].public_key is not None


def test_every_origin_has_a_fingerprint_of_its_own(travel: Travel) -> None:
    hosts = ["https://ollama.com", f"https://{EVIL}", "https://www.ollama.com", "https://www.ollama.com:8443"]
    with travel() as device, stub_server(lambda _: UNAUTHORIZED) as one, stub_server(lambda _: UNAUTHORIZED) as two:
        told = [
            json.loads(device.cli("--insecure-storage", "status", "--json", env=environment).stdout)["fingerprint"]
            for environment in (
                *({"OLLAMA_HOST": host, "OLLAMA_AUTH": "1"} for host in (*hosts, one.url)),
                {"OLLAMA_CLOUD_BASE_URL": two.url},
            )
        ]
        assert device.signed_for == {CLOUD}
    assert None not in told[:-1]
    assert told[-1] is None  # `status` makes no key
    assert len(set(told)) == len(told)


def test_a_stand_in_on_loopback_gets_a_key_of_its_own(travel: Travel) -> None:
    with travel() as device, stub_server(lambda _: UNAUTHORIZED) as stand_in:
        done = device.cli("--insecure-storage", "signin", "--no-wait", env={"OLLAMA_CLOUD_BASE_URL": stand_in.url})
        assert done.returncode == 4
        assert device.reached == []
    (request,) = stand_in.received
    assert request.public_key not in (None, device.public_key)


@pytest.mark.parametrize(
    "url",
    [
        f"https://{EVIL}",
        "https://evil.example",
        "https://ollama.com",
        "https://ollama.com:8443",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://evil.example#127.0.0.1",
        "//evil.example",
    ],
)
def test_no_other_server_takes_ollama_com_s_place(travel: Travel, url: str) -> None:
    with travel() as device:
        done = device.cli("--insecure-storage", "status", env={"OLLAMA_CLOUD_BASE_URL": url})
        assert done.returncode == 2
        assert device.reached == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["look-alike", "loopback", "without TLS"])
def test_no_redirect_is_followed_with_a_signature(travel: Travel, status: int, to: str) -> None:
    with stub_server(lambda _: UNAUTHORIZED) as other:
        place = {"look-alike": f"https://{EVIL}", "loopback": other.url, "without TLS": "http://ollama.com"}[to]

        def redirect(_: str, request: Received) -> Answer:
            return status, {"Location": f"{place}{request.target}"}, b""

        with travel(redirect) as device:
            assert device.cli("status").returncode == 7
            assert device.reached == [CLOUD]
    assert other.received == []


def test_a_redirected_sign_out_forgets_nothing(travel: Travel) -> None:
    with (
        stub_server(lambda _: (200, {}, b"null")) as other,
        travel(lambda _, request: (307, {"Location": f"{other.url}{request.target}"}, b"")) as device,
    ):
        assert device.cli("signout").returncode == 7
        assert set(device.reached) == {CLOUD}
        assert list((device.cli.home / "state" / "data" / "keys").iterdir())
    assert other.received == []


# The clock


def clock_at(skew: int) -> Callable[[str, Received], Answer]:
    """A server whose clock is ahead, and which takes a signature that is made with its time."""

    def answer(_: str, request: Received) -> Answer:
        signed = int(request.target.partition("ts=")[2])
        date = {"Date": formatdate(time.time() + skew, usegmt=True)}
        good = abs(time.time() + skew - signed) < 300
        return (200, date, b'{"name":"bob"}') if good else (401, date, b'{"error":"unauthorized"}')

    return answer


@pytest.mark.parametrize("minutes", [-30, 30, 23 * 60])
def test_ollama_com_s_clock_mends_ours_and_that_is_told(travel: Travel, minutes: int) -> None:
    with travel(clock_at(minutes * 60)) as device:
        done = device.cli("status", "--json")
        assert done.returncode == 0
        assert json.loads(done.stdout)["account"] == "bob"
        assert device.reached == [CLOUD, CLOUD]
    direction = "behind" if minutes > 0 else "ahead of"
    words = done.stderr.split()
    told = next(int(word) for word in words if word.isdigit())
    assert abs(told - abs(minutes) * 60) <= 2
    assert direction in done.stderr


@pytest.mark.parametrize(
    ("skew", "environment"),
    [
        (2 * 24 * 3600, {}),
        (1800, {"OLLAMA_HOST": f"https://{EVIL}", "OLLAMA_AUTH": "1"}),
    ],
    ids=["more than a day", "another server"],
)
def test_a_clock_that_may_not_be_believed_is_told_and_nothing_signed_with_it(
    travel: Travel, skew: int, environment: dict[str, str]
) -> None:
    with travel(clock_at(skew)) as device:
        done = device.cli("--insecure-storage", "status", "--json", env=environment)
        assert done.returncode == 4
        assert json.loads(done.stderr)["error"]["code"] == "clock_wrong"
        assert len(device.reached) == 1


def test_no_clock_is_believed_without_trusted_tls(travel: Travel) -> None:
    with travel(clock_at(1800)) as device:
        done = device.cli("status", "--json", env={"SSL_CERT_FILE": ""})
        assert done.returncode == 7
        assert json.loads(done.stderr)["error"]["code"] == "tls"
        assert device.reached == []
