from __future__ import annotations

import html
import re
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest

from ollama_cli.credentials.device_key import DeviceKey
from ollama_cli.sandbox.form_tokens import MOST_OPEN_FORMS, SECONDS_TO_DECIDE, FormTokens
from ollama_cli.sandbox.names import LONGEST_SHOWN, visible
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.signing.connect_link import signin_url

Connect = Callable[..., httpx.Client]


def fields(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    return {name: html.unescape(value) for name, value in found}


def shown_name(page: httpx.Response) -> str:
    found = re.search(r'<dd class="name">(.*?)</dd>', page.text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


@pytest.fixture
def link(embedded: EmbeddedSandbox, key: DeviceKey) -> str:
    return signin_url("my laptop", key.public_key, base_url=embedded.url)


@pytest.fixture
def stranger(embedded: EmbeddedSandbox, connect: Connect, key: DeviceKey) -> httpx.Client:
    """A device that nobody has approved."""
    return connect(embedded, key)


def test_the_page_says_who_asks_and_what_it_would_mean(nobody: httpx.Client, link: str, key: DeviceKey) -> None:
    page = nobody.get(link)
    assert page.status_code == 200
    assert shown_name(page) == "my laptop"
    assert key.fingerprint in page.text
    assert "not ollama.com" in page.text
    assert "only a sign-in that you have started yourself" in page.text
    assert "<script" not in page.text


def test_the_page_keeps_itself_to_itself(nobody: httpx.Client, link: str) -> None:
    headers = nobody.get(link).headers
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    cookie = headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_approving_puts_the_device_on_the_account(nobody: httpx.Client, stranger: httpx.Client, link: str) -> None:
    answer = nobody.post("/connect", data={**fields(nobody.get(link)), "action": "approve"})
    assert answer.status_code == 200
    assert "Device approved" in answer.text
    assert stranger.post("/api/me").json()["name"] == "sandbox"
    assert "on the account already" in nobody.get(link).text


def test_denying_keeps_it_out_until_it_is_approved(nobody: httpx.Client, stranger: httpx.Client, link: str) -> None:
    assert nobody.post("/connect", data={**fields(nobody.get(link)), "action": "deny"}).status_code == 200
    refused = stranger.post("/api/me")
    assert refused.status_code == 401
    assert "name=my%20laptop&" in refused.json()["signin_url"]
    again = nobody.get(link)
    assert "turned this device away before" in again.text
    nobody.post("/connect", data={**fields(again), "action": "approve"})
    assert stranger.post("/api/me").status_code == 200


def test_looking_changes_nothing(nobody: httpx.Client, stranger: httpx.Client, link: str) -> None:
    nobody.get(link)
    nobody.head(link)
    assert "name=device&" in stranger.post("/api/me").json()["signin_url"]


@pytest.mark.parametrize("action", [{}, {"action": ""}, {"action": "approve all"}])
def test_a_form_that_decides_nothing_changes_nothing(
    nobody: httpx.Client, stranger: httpx.Client, link: str, action: dict[str, str]
) -> None:
    assert nobody.post("/connect", data={**fields(nobody.get(link)), **action}).status_code == 400
    assert stranger.post("/api/me").status_code == 401


class TestForgedForms:
    @pytest.fixture
    def refused(self, nobody: httpx.Client, stranger: httpx.Client) -> Callable[[httpx.Client, dict[str, str]], None]:
        def check(browser: httpx.Client, data: dict[str, str], **headers: str) -> None:
            answer = browser.post("/connect", data=data, headers=headers)
            assert answer.status_code == 403
            assert stranger.post("/api/me").status_code == 401

        return check

    def test_without_a_token(self, nobody: httpx.Client, link: str, refused: Callable[..., None]) -> None:
        data = fields(nobody.get(link))
        del data["token"]
        refused(nobody, {**data, "action": "approve"})

    def test_with_another_token(self, nobody: httpx.Client, link: str, refused: Callable[..., None]) -> None:
        refused(nobody, {**fields(nobody.get(link)), "token": "x" * 43, "action": "approve"})

    def test_from_another_browser(
        self, embedded: EmbeddedSandbox, connect: Connect, nobody: httpx.Client, link: str, refused: Callable[..., None]
    ) -> None:
        refused(connect(embedded), {**fields(nobody.get(link)), "action": "approve"})

    def test_from_another_browser_that_was_here_too(
        self, embedded: EmbeddedSandbox, connect: Connect, nobody: httpx.Client, link: str, refused: Callable[..., None]
    ) -> None:
        other = connect(embedded)
        other.get(link)
        refused(other, {**fields(nobody.get(link)), "action": "approve"})

    def test_for_another_device(
        self, embedded: EmbeddedSandbox, nobody: httpx.Client, key: DeviceKey, refused: Callable[..., None]
    ) -> None:
        other = signin_url("x", DeviceKey.generate().public_key, base_url=embedded.url)
        refused(nobody, {**fields(nobody.get(other)), "key": key.encoded, "action": "approve"})

    def test_of_the_other_page(self, nobody: httpx.Client, key: DeviceKey, refused: Callable[..., None]) -> None:
        token = fields(nobody.get("/settings/keys"))["token"]
        refused(nobody, {"token": token, "key": key.encoded, "name": "x", "action": "approve"})

    def test_sent_a_second_time(self, nobody: httpx.Client, link: str, refused: Callable[..., None]) -> None:
        data = {**fields(nobody.get(link)), "action": "deny"}
        assert nobody.post("/connect", data=data).status_code == 200
        refused(nobody, {**data, "action": "approve"})

    def test_from_another_site(self, nobody: httpx.Client, stranger: httpx.Client, link: str) -> None:
        data = {**fields(nobody.get(link)), "action": "approve"}
        answer = nobody.post("/connect", data=data, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        assert stranger.post("/api/me").status_code == 401

    def test_with_a_cookie_of_no_form(self, nobody: httpx.Client, link: str, refused: Callable[..., None]) -> None:
        data = {**fields(nobody.get(link)), "action": "approve"}
        nobody.cookies.clear()
        refused(nobody, data, Cookie="sandbox_browser=not-one-of-ours")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "name=x",
        "key=",
        "key=AAAA",
        "key=%00",
        "key={key}&key={key}",
        "name=a&name=b&key={key}",
        "name=x&key={key}%3D",
        "name=x&key={line}",
        "name=x&key={rsa}",
    ],
)
def test_a_link_that_does_not_name_one_device_is_refused(nobody: httpx.Client, key: DeviceKey, query: str) -> None:
    words = {"key": key.encoded, "line": quote(key.public_key), "rsa": "c3NoLXJzYSBBQUFB"}
    page = nobody.get(f"/connect?{query.format(**words)}")
    assert page.status_code == 400
    assert "names no device" in page.text
    assert nobody.post("/connect", content=query.format(**words), headers=FORM).status_code == 400


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_link_of_the_desktop_app_is_taken(nobody: httpx.Client, link: str) -> None:
    assert nobody.get(f"{link}&launch=true").status_code == 200


def test_a_name_that_smuggles_a_key_in_is_refused(nobody: httpx.Client, key: DeviceKey) -> None:
    smuggled = DeviceKey.generate().encoded
    assert nobody.get(f"/connect?name=x&key={smuggled}&key={key.encoded}").status_code == 400


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ('"><b>x', '"><b>x'),
        ("{{ 7 * 7 }}", "{{ 7 * 7 }}"),
        ("safe\u202eexe.", "safe⟨U+202E⟩exe."),
        ("a\x1b[31mb", "a⟨U+001B⟩[31mb"),
        ("a\r\nb\tc", "a⟨U+000D⟩⟨U+000A⟩b⟨U+0009⟩c"),
        ("a\x00b", "a⟨U+0000⟩b"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("\u3164", "⟨U+3164⟩"),
        ("\u2028", "⟨U+2028⟩"),
        ("", "a device without a name"),
        (" \u00a0 ", "a device without a name"),
        ("x" * 65, "x" * 64 + "…"),
        ("ноутбук 🙂", "ноутбук 🙂"),
    ],
)
def test_hostile_names_are_shown_as_what_they_are(
    embedded: EmbeddedSandbox, nobody: httpx.Client, key: DeviceKey, name: str, shown: str
) -> None:
    page = nobody.get(signin_url(name, key.public_key, base_url=embedded.url))
    assert page.status_code == 200
    if not name.strip("\u2028"):
        shown = visible(name) or "a device without a name"
    assert shown_name(page) == shown
    assert "<script" not in page.text
    assert "<b>" not in page.text


def test_a_visible_name_is_short_and_holds_nothing_invisible() -> None:
    shown = visible("\u202e" * 1000)
    assert "\u202e" not in shown
    assert shown == "⟨U+202E⟩" * LONGEST_SHOWN + "…"


class TestFormTokens:
    def test_a_token_expires(self) -> None:
        time = [0.0]
        tokens = FormTokens(now=lambda: time[0])
        token = tokens.issue("x", "browser")
        time[0] = SECONDS_TO_DECIDE
        assert not tokens.redeem(token, "x", "browser")

    def test_the_oldest_form_gives_way(self) -> None:
        tokens = FormTokens()
        first, *_, last = [tokens.issue("x", "browser") for _ in range(MOST_OPEN_FORMS + 1)]
        assert not tokens.redeem(first, "x", "browser")
        assert tokens.redeem(last, "x", "browser")
