"""A credential goes to its own origin only, and a clock is mended within limits: the generator, driven by hand."""

from collections.abc import Callable, Generator
from contextlib import suppress
from email.utils import formatdate

import httpx
import pytest

from ollama_cli import DeviceKey, OllamaAuth
from ollama_cli.credentials.credential import ApiKey, Credential
from ollama_cli.errors import SafetyError
from ollama_cli.secret import Secret
from ollama_cli.signing.message import message
from ollama_cli.signing.verification import public_key_of
from ollama_cli.transport.auth import CredentialAuth
from ollama_cli.transport.clock import Clock

NOW = 1763883600
KEY = DeviceKey.generate()
API_KEY = ApiKey(Secret("an-api-key"))
CLOUD = "https://ollama.com"
CREDENTIALS = pytest.mark.parametrize("credential", [KEY, API_KEY], ids=["device key", "API key"])


def flow(
    url: str, origin: str, *, credential: Credential = KEY, clock: Clock | None = None
) -> Generator[httpx.Request, httpx.Response, None]:
    auth = CredentialAuth(credential, origin, clock=clock or Clock(now=lambda: NOW))
    return auth.auth_flow(httpx.Request("POST", url))


def signer_of(request: httpx.Request) -> str | None:
    signed = message(request.method, request.url.raw_path.decode())
    return public_key_of(request.headers["Authorization"], signed)


def time_in(request: httpx.Request) -> int:
    return int(request.url.params["ts"])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ollama.com/api/me", CLOUD),
        ("https://ollama.com:443/api/me", CLOUD),
        ("https://OLLAMA.com/api/me", CLOUD),
        ("https://ollama.com/api/me", "https://Ollama.COM:443/base"),
        ("https://example.com:8443/api/me", "https://example.com:8443"),
        ("http://127.0.0.1:8080/api/me", "http://127.0.0.1:8080"),
        ("http://localhost:8080/api/me", "http://localhost:8080"),
        ("http://[::1]:8080/api/me", "http://[::1]:8080"),
    ],
)
def test_a_key_signs_for_its_own_origin(url: str, origin: str) -> None:
    assert signer_of(next(flow(url, origin))) == KEY.public_key


@CREDENTIALS
@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/api/me",
        "http://ollama.com/api/me",
        "http://ollama.com:443/api/me",
        "https://ollama.com:8443/api/me",
        "https://www.ollama.com/api/me",
        "https://ollama.com./api/me",
        "https://ollama.com.evil.example/api/me",
        "https://ollama.com@evil.example/api/me",
        "https://ollama.com%2eevil.example/api/me",
        "https://ollam\u0430.com/api/me",
        "https://xn--ollam-8ve.com/api/me",
        "http://127.0.0.1/api/me",
        "https://registry.ollama.ai/api/me",
    ],
)
def test_a_credential_is_refused_to_any_other_origin(url: str, credential: Credential) -> None:
    request = httpx.Request("POST", url)
    with pytest.raises(SafetyError) as caught:
        next(CredentialAuth(credential, CLOUD).auth_flow(request))
    assert "Authorization" not in request.headers
    assert "an-api-key" not in caught.value.message


@CREDENTIALS
@pytest.mark.parametrize(
    "origin",
    [
        "http://ollama.com",
        "http://example.com:11434",
        "http://192.168.1.5:11434",
        "http://0.0.0.0:11434",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.1.evil.example",
        "http://localhost@evil.example",
        "http://[::ffff:8.8.8.8]",
        "http://[fe80::1]",
        "ftp://ollama.com",
        "ollama.com",
        "",
    ],
)
def test_a_credential_is_for_an_encrypted_origin_or_this_machine(origin: str, credential: Credential) -> None:
    with pytest.raises(SafetyError):
        CredentialAuth(credential, origin)
    with pytest.raises(SafetyError):
        OllamaAuth(KEY, origin)


def test_a_user_in_the_address_does_not_replace_the_signature() -> None:
    request = next(flow("https://user:pw@ollama.com/api/me", CLOUD))
    assert signer_of(request) == KEY.public_key


def test_an_api_key_is_a_bearer_token_without_a_time() -> None:
    steps = flow("https://ollama.com/api/tags?a=1", CLOUD, credential=API_KEY)
    request = next(steps)
    assert request.headers["Authorization"] == "Bearer an-api-key"
    assert str(request.url) == "https://ollama.com/api/tags?a=1"
    with pytest.raises(StopIteration):
        steps.send(httpx.Response(401, headers={"Date": formatdate(NOW + 3600, usegmt=True)}))


def test_an_api_key_given_as_text_is_a_bearer_token() -> None:
    request = next(OllamaAuth("an-api-key").auth_flow(httpx.Request("GET", "https://ollama.com/api/tags")))
    assert request.headers["Authorization"] == "Bearer an-api-key"


def test_a_request_that_is_sent_again_is_signed_anew() -> None:
    times = iter([NOW, NOW + 5])
    auth = CredentialAuth(KEY, CLOUD, clock=Clock(now=lambda: next(times)))
    request = httpx.Request("POST", "https://ollama.com/api/me?a=1")
    for expected in (NOW, NOW + 5):
        signed = next(auth.auth_flow(request))
        assert signed.url.params.get_list("ts") == [str(expected)]
        assert signer_of(signed) == KEY.public_key


def refused(skew: int, *, origin: str = CLOUD, status: int = 401) -> tuple[list[httpx.Request], list[int]]:
    """What is sent again when a server refuses and tells its time, and by how much the clock is mended."""
    mended: list[int] = []
    again: list[httpx.Request] = []
    steps = flow(f"{origin}/api/me", origin, clock=Clock(now=lambda: NOW, on_mend=mended.append))
    next(steps)
    with suppress(StopIteration):
        while len(again) < 5:
            date = formatdate(NOW + skew + 7200 * len(again), usegmt=True)
            again.append(steps.send(httpx.Response(status, headers={"Date": date})))
    return again, mended


@pytest.mark.parametrize("origin", [CLOUD, "http://127.0.0.1:8080", "https://localhost:8080", "http://[::1]:8080"])
@pytest.mark.parametrize("skew", [61, 3600, -3600, 24 * 3600, -24 * 3600])
def test_a_refused_signature_is_made_once_more_with_the_server_s_time(skew: int, origin: str) -> None:
    (request,), mended = refused(skew, origin=origin)
    assert time_in(request) == NOW + skew
    assert signer_of(request) == KEY.public_key
    assert mended == [skew]


def test_of_requests_at_once_each_refused_one_is_signed_again() -> None:
    auth = CredentialAuth(KEY, CLOUD, clock=Clock(now=lambda: NOW))
    steps = [auth.auth_flow(httpx.Request("POST", f"{CLOUD}/api/me")) for _ in range(3)]
    assert [time_in(next(flow)) for flow in steps] == [NOW] * 3
    refusal = httpx.Response(401, headers={"Date": formatdate(NOW + 3600, usegmt=True)})
    assert [time_in(flow.send(refusal)) for flow in steps] == [NOW + 3600] * 3


def test_an_answer_after_a_redirect_mends_nothing() -> None:
    steps = flow(f"{CLOUD}/api/me", CLOUD)
    next(steps)
    redirected = httpx.Response(401, headers={"Date": formatdate(NOW + 3600, usegmt=True)})
    redirected.history = [httpx.Response(307)]
    with pytest.raises(StopIteration):
        steps.send(redirected)


@pytest.mark.parametrize("skew", [0, 59, -59, 24 * 3600 + 1, -24 * 3600 - 1, 10 * 365 * 24 * 3600])
def test_a_clock_is_not_mended_by_less_than_a_minute_or_more_than_a_day(skew: int) -> None:
    assert refused(skew) == ([], [])


@pytest.mark.parametrize(
    "origin", ["https://example.com", "https://ollama.com:8443", "https://registry.ollama.ai", "https://ollama.com."]
)
def test_no_other_server_mends_the_clock(origin: str) -> None:
    assert refused(3600, origin=origin) == ([], [])


@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500])
def test_an_answer_other_than_401_mends_nothing(status: int) -> None:
    assert refused(3600, status=status) == ([], [])


@pytest.mark.parametrize(
    "date",
    ["soon", "", "Mon, 99 Foo 2026 00:00:00 GMT", "1763887200", "Thu, 01 Jan 99999 00:00:00 GMT", "\u00e9", "Mon, 1"],
)
def test_a_date_that_is_none_mends_nothing(date: str) -> None:
    assert not Clock(now=lambda: NOW).mend(date, CLOUD)
    assert not Clock(now=lambda: NOW).mend(None, CLOUD)


def test_a_mended_clock_stays_mended_for_the_next_request() -> None:
    clock = Clock(now=lambda: NOW)
    assert clock.mend(formatdate(NOW + 3600, usegmt=True), CLOUD)
    assert time_in(next(flow("https://ollama.com/api/me", CLOUD, clock=clock))) == NOW + 3600
    assert not clock.mend(formatdate(NOW + 3610, usegmt=True), CLOUD)
    assert clock.timestamp() == NOW + 3600


def test_a_mend_counts_from_this_machine_s_time_not_from_an_earlier_mend() -> None:
    clock = Clock(now=lambda: NOW)
    assert clock.mend(formatdate(NOW + 20 * 3600, usegmt=True), CLOUD)
    assert not clock.mend(formatdate(NOW + 40 * 3600, usegmt=True), CLOUD)
    assert clock.mend(formatdate(NOW, usegmt=True), CLOUD)
    assert clock.timestamp() == NOW


@pytest.mark.parametrize("change", [lambda auth: auth, repr, str])
def test_what_authenticates_does_not_show_its_credential(change: Callable[[object], object]) -> None:
    shown = f"{change(CredentialAuth(API_KEY, CLOUD))!r}"
    assert "an-api-key" not in shown
