from __future__ import annotations

import json
import socket
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from ollama_cli.credentials.device_key import DeviceKey
from ollama_cli.sandbox.journal import LONGEST_BODY, MOST_ENTRIES, Journal
from ollama_cli.sandbox.server import EmbeddedSandbox
from ollama_cli.sandbox.wire import is_loopback_host


class TestHost:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "127.0.0.1:80", "127.9.9.9:1", "localhost", "LocalHost:1", "[::1]:1"]
    )
    def test_names_of_this_machine_are_taken(self, nobody: httpx.Client, host: str) -> None:
        assert nobody.get("/", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "example.com",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "localhost@example.com",
            "example.com:80",
            "192.168.0.1",
            "0.0.0.0",  # noqa: S104 - a name that is refused
            "[::]",
            "[fe80::1]",
            "localhost.",
            "2130706433",
            "",
            ":80",
            "localhost:x",
        ],
    )
    @pytest.mark.parametrize("path", ["/", "/connect", "/settings/keys", "/sandbox/requests", "/api/tags"])
    def test_every_other_name_is_refused(self, nobody: httpx.Client, host: str, path: str) -> None:
        assert nobody.get(path, headers={"Host": host}).status_code == 421

    def test_a_host_that_is_no_host_is_not_loopback(self) -> None:
        assert not is_loopback_host("[127.0.0.1")
        assert not is_loopback_host("127.0.0.1 ")


def test_the_heartbeat_of_the_reference_client_is_answered(nobody: httpx.Client) -> None:
    assert nobody.head("/").status_code == 200
    assert "sandbox" in nobody.get("/").text


def test_every_answer_has_the_servers_date_once(nobody: httpx.Client) -> None:
    for path in ("/", "/nothing", "/api/me", "/connect"):
        (date,) = nobody.get(path).headers.get_list("Date")
        assert parsedate_to_datetime(date).tzinfo is not None


class TestRecord:
    @pytest.fixture
    def recorded(self, nobody: httpx.Client) -> Any:
        return lambda: nobody.get("/sandbox/requests").json()

    def test_requests_are_kept_as_they_were_sent(self, device: httpx.Client, recorded: Any) -> None:
        device.post("/api/generate?b=2&a=%7E", json={"model": "gpt-oss:20b"}, headers={"X-Test": "yes"})
        (entry,) = recorded()
        assert entry["method"] == "POST"
        assert entry["target"].startswith("/api/generate?a=~&b=2&ts=")
        assert entry["headers"]["x-test"] == "yes"
        assert entry["body"] == {"model": "gpt-oss:20b"}

    def test_no_credential_is_kept(self, embedded: EmbeddedSandbox, nobody: httpx.Client, device: httpx.Client) -> None:
        secret = embedded.make_api_key().reveal()
        device.post("/api/me")
        nobody.post("/api/me", headers={"Authorization": f"bearer {secret}"})
        nobody.get("/settings/keys")
        token = nobody.cookies["sandbox_browser"]
        nobody.post("/settings/keys", data={"token": "form-token"})
        text = nobody.get("/sandbox/requests").text
        kinds = [entry["headers"].get("authorization") for entry in json.loads(text)]
        assert kinds == ["signed", "bearer", None, None]
        for word in (secret, token, "form-token"):
            assert word not in text

    def test_refused_requests_are_kept_too(self, nobody: httpx.Client, recorded: Any, key: DeviceKey) -> None:
        nobody.delete(f"/api/user/keys/{key.encoded}")
        assert [entry["method"] for entry in recorded()] == ["DELETE"]

    @pytest.mark.parametrize(
        ("body", "kept"),
        [
            (b"", None),
            (b'{"a": 1}', {"a": 1}),
            (b"text", "text"),
            (b"\xff", "\ufffd"),
            (b'"' + b"x" * LONGEST_BODY + b'"', '"' + "x" * (LONGEST_BODY - 1)),
            (b"[" * 20_000, "[" * 20_000),
        ],
    )
    def test_a_body_is_kept_as_what_it_is(self, body: bytes, kept: object) -> None:
        journal = Journal()
        journal.note("POST", "/", [], body)
        assert journal.entries()[0]["body"] == kept

    def test_it_is_bounded(self) -> None:
        journal = Journal()
        for number in range(MOST_ENTRIES + 1):
            journal.note("GET", f"/{number}", [], b"")
        assert len(journal.entries()) == MOST_ENTRIES
        assert journal.entries()[0]["target"] == "/1"


def test_a_client_that_leaves_in_the_middle_of_its_request_does_no_harm(nobody: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", nobody.base_url.port or 0)) as connection:
        connection.sendall(b"POST /api/me HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
    assert nobody.get("/").status_code == 200
    assert [entry["target"] for entry in nobody.get("/sandbox/requests").json()] == ["/"]


def test_a_body_that_is_too_large_is_refused(nobody: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ollama_cli.sandbox.wire.LARGEST_BODY", 10)
    assert nobody.post("/api/generate", content=b"x" * 11).status_code == 413
