from __future__ import annotations

import html
import re
from collections.abc import Callable

import httpx
import pytest

from ollama_cli.credentials.credential import ApiKey
from ollama_cli.credentials.device_key import DeviceKey
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.secret import Secret

Connect = Callable[..., httpx.Client]
PAGE = "/settings/keys"


def forms(page: httpx.Response) -> list[dict[str, str]]:
    """The hidden fields of each form."""
    found = re.findall(r"<form.*?</form>", page.text, re.DOTALL)
    hidden = [re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form) for form in found]
    return [{name: html.unescape(value) for name, value in pairs} for pairs in hidden]


def form(page: httpx.Response, action: str) -> dict[str, str]:
    return next(found for found in forms(page) if found["action"] == action)


def test_the_page_begins_empty_and_keeps_itself_to_itself(nobody: httpx.Client) -> None:
    page = nobody.get(PAGE)
    assert "No device is on the account." in page.text
    assert "There is no API key." in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_a_device_is_listed_and_removed(nobody: httpx.Client, device: httpx.Client, key: DeviceKey) -> None:
    page = nobody.get(PAGE)
    assert key.fingerprint in page.text
    assert "laptop" in page.text
    assert "last used never" in page.text
    device.post("/api/me")
    assert "last used never" not in nobody.get(PAGE).text
    done = nobody.post(PAGE, data=form(page, "remove-device"))
    assert (done.status_code, done.headers["Location"]) == (303, PAGE)
    assert device.post("/api/me").status_code == 401
    assert key.fingerprint not in nobody.get(PAGE).text


def test_every_form_of_a_page_can_be_sent(nobody: httpx.Client, embedded: EmbeddedSandbox) -> None:
    for number in range(3):
        embedded.approve(DeviceKey.generate().public_key, f"device {number}")
    for found in forms(nobody.get(PAGE)):
        if found["action"] == "remove-device":
            assert nobody.post(PAGE, data=found).status_code == 303
    assert "No device is on the account." in nobody.get(PAGE).text


@pytest.mark.parametrize(
    ("line", "name", "listed"),
    [
        ("{key}", "", "pasted key"),
        ("  {key} user@host\n", "", "user@host"),
        ("{key} user@host", "mine", "mine"),
        ("{key}", "<b>", "&lt;b&gt;"),
    ],
)
def test_a_pasted_public_key_is_a_device(
    nobody: httpx.Client, embedded: EmbeddedSandbox, connect: Connect, key: DeviceKey, line: str, name: str, listed: str
) -> None:
    data = {**form(nobody.get(PAGE), "add-device"), "public-key": line.format(key=key.public_key), "name": name}
    assert nobody.post(PAGE, data=data).status_code == 303
    assert connect(embedded, key).post("/api/me").status_code == 200
    assert f'<span class="name">{listed}</span>' in nobody.get(PAGE).text


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-rsa AAAA", "ssh-ed25519 AAAA", "ssh-ed25519 \udcff"])
def test_what_is_no_public_key_is_refused(nobody: httpx.Client, line: str) -> None:
    data = {**form(nobody.get(PAGE), "add-device"), "public-key": line.encode("utf-8", "replace").decode()}
    page = nobody.post(PAGE, data=data)
    assert page.status_code == 400
    assert "not an ed25519 public key line" in page.text


def test_an_api_key_is_shown_once_and_works_until_it_is_removed(
    nobody: httpx.Client, embedded: EmbeddedSandbox, connect: Connect
) -> None:
    made = nobody.post(PAGE, data={**form(nobody.get(PAGE), "make-api-key"), "name": "for ci"})
    assert made.status_code == 200
    found = re.search(r'id="new-key">([^<]+)<', made.text)
    assert found is not None
    holder = connect(embedded, ApiKey(Secret(found[1])))
    assert holder.post("/api/me").status_code == 200
    page = nobody.get(PAGE)
    assert found[1] not in page.text
    assert found[1][:12] in page.text
    assert "for ci" in page.text
    assert nobody.post(PAGE, data=form(page, "remove-api-key")).status_code == 303
    assert holder.post("/api/me").status_code == 401


def test_only_the_digest_of_an_api_key_is_kept(embedded: EmbeddedSandbox, folder: object) -> None:
    key = embedded.make_api_key("x").reveal()
    database = (folder / "account.sqlite3").read_bytes()  # type: ignore[operator]
    assert key.encode() not in database
    assert key[:12].encode() in database


@pytest.mark.parametrize(
    "data",
    [
        {"action": "remove-device", "device": "ssh-ed25519 AAAA"},
        {"action": "remove-device"},
        {"action": "remove-api-key", "api-key": "1"},
        {"action": "remove-api-key", "api-key": "-1"},
        {"action": "remove-api-key", "api-key": "٣"},
        {"action": "remove-api-key", "api-key": "9" * 100},
        {"action": "remove-api-key"},
        {"action": "else"},
        {},
    ],
)
def test_what_is_not_there_is_not_removed(nobody: httpx.Client, data: dict[str, str]) -> None:
    token = form(nobody.get(PAGE), "add-device")["token"]
    page = nobody.post(PAGE, data={"token": token, **data})
    assert page.status_code == 400
    assert 'role="alert"' in page.text


@pytest.mark.parametrize("token", [{}, {"token": ""}, {"token": "x" * 43}])
def test_a_forged_form_changes_nothing(nobody: httpx.Client, device: httpx.Client, token: dict[str, str]) -> None:
    data = form(nobody.get(PAGE), "remove-device")
    del data["token"]
    assert nobody.post(PAGE, data={**data, **token}).status_code == 403
    assert device.post("/api/me").status_code == 200


def test_a_file_in_the_place_of_a_field_is_refused(nobody: httpx.Client) -> None:
    data = form(nobody.get(PAGE), "make-api-key")
    assert nobody.post(PAGE, data=data, files={"token": b"x"}).status_code in {400, 403}
    assert nobody.post(
        PAGE, content=b"--x", headers={"Content-Type": "multipart/form-data; boundary=y"}
    ).status_code in {
        400,
        403,
    }
    assert nobody.post(PAGE, json={"action": "make-api-key"}).status_code == 403
