"""Which proxy the environment names for a server."""

from __future__ import annotations

import pytest

from ollama_cli.transport.proxies import proxy_for, shown

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
PROXY = "http://proxy.example:3128"
COM = "https://ollama.com"


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, COM, None),
        ({"HTTPS_PROXY": PROXY}, COM, PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, COM, PROXY),
        ({"HTTP_PROXY": PROXY}, COM, None),
        ({"HTTP_PROXY": PROXY}, "http://daemon.example:11434", PROXY),
        ({"ALL_PROXY": PROXY}, COM, PROXY),
        ({"ALL_PROXY": "socks5://x:1", "HTTPS_PROXY": PROXY}, COM, PROXY),
        ({"ALL_PROXY": PROXY}, "https://localhost:8443", None),
        ({"ALL_PROXY": PROXY}, "http://127.0.0.1:11434", None),
        ({"ALL_PROXY": PROXY}, "http://[::1]:11434", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "ollama.com"}, COM, None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "x.example, .COM"}, COM, None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "ollama.com:443"}, COM, None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "ollama.com:8443"}, COM, PROXY),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "llama.com"}, COM, PROXY),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "*"}, COM, None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "192.0.2.7"}, "http://192.0.2.7:11434", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "192.0.2.7:80"}, "http://192.0.2.7", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "2001:db8::7"}, "http://[2001:db8::7]:11434", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "[2001:db8::7]"}, "http://[2001:db8::7]:11434", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "[2001:db8::7]:11434"}, "http://[2001:db8::7]:11434", None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "2001:db8::8"}, "http://[2001:db8::7]:11434", PROXY),
    ],
)
def test_proxy_for(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str | None) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


def test_a_proxy_is_shown_without_its_password() -> None:
    assert shown("http://me:p@ss@proxy.example:3128") == "proxy.example:3128"
