"""registry.ollama.ai over TLS, reached through a proxy: the account's key signs there, and for nothing else."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
import trustme
from asyncio_server import asyncio_server
from models_on_disk import digest_of, is_sound, manifest_of
from ollama_com import Proxy, tls_for
from support import Cli, make_device

from ollama_cli.api.model_name import ModelName
from ollama_cli.api.registry_place import is_accounts, registry_url
from ollama_cli.settings import Settings
from ollama_cli.signing.challenge import token_message
from ollama_cli.signing.verification import public_key_of

LAYER = b"a layer of a private model"
TOKEN = "the-token"


class Registry:
    """A registry under some name, whose realm is as a test wants it.

    Args:
        name: Its name.
        realm: Where it sends those who have no token.
    """

    def __init__(self, name: str, realm: str) -> None:
        self.name = name
        self.realm = realm
        self.signed: list[tuple[str, str]] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the client leaves."""
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split()[1]
            given = re.search(r"(?im)^authorization: (.*)\r$", head)
            status, content, extra = self._answer(path, given[1] if given else "")
            answer = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n{extra}\r\n".encode() + content
            writer.write(answer)
            await writer.drain()

    def _answer(self, path: str, given: str) -> tuple[int, bytes, str]:
        if path.startswith("/token"):
            self.signed.append((f"https://{self.name}{path}", given))
            return 200, json.dumps({"token": TOKEN}).encode(), ""
        if given != f"Bearer {TOKEN}":
            challenge = f'Bearer realm="{self.realm}",service="ollama.com",scope="repository:me/private:pull"'
            return 401, b"{}", f"WWW-Authenticate: {challenge}\r\n"
        contents = {digest_of(each): each for each in (LAYER, b"{}")}
        return 200, contents.get(path.rpartition("/")[2], manifest_of(LAYER)), ""


@pytest.mark.parametrize(
    ("host", "realm", "status", "signer"),
    [
        ("registry.ollama.ai", "https://registry.ollama.ai/token", 0, "https://ollama.com"),
        ("ollama.com", "https://ollama.com/token", 0, "https://ollama.com"),
        ("registry.example", "https://registry.example/token", 0, "https://registry.example"),
        ("registry.ollama.ai", "https://ollama.com/token", 1, None),
        ("registry.example", "https://registry.ollama.ai/token", 1, None),
        ("registry.example", "http://registry.example/token", 1, None),
    ],
)
def test_each_registry_sees_the_key_that_is_for_it(
    cli: Cli, store: Path, tmp_path: Path, host: str, realm: str, status: int, signer: str | None
) -> None:
    keys = {origin: make_device(cli, origin) for origin in ("https://ollama.com", "https://registry.example")}
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    registry = Registry(host, realm)
    with asyncio_server(registry.handle, tls_for(host, authority=authority)) as port:
        proxy = Proxy(port)
        with asyncio_server(proxy.handle) as proxy_port:
            environment = {
                "HTTPS_PROXY": f"http://127.0.0.1:{proxy_port}",
                "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
            }
            done = cli("pull", "--direct", f"{host}/me/private", env=environment)
    assert done.returncode == status, done.stderr
    if signer is None:
        assert registry.signed == []
        return
    ((url, token),) = registry.signed
    assert public_key_of(token, token_message(url)) == keys[signer].public_key
    assert is_sound(store)


def test_the_account_s_key_is_for_two_registries_and_what_stands_in_for_them() -> None:
    there, standing_in = Settings(), Settings(cloud_url="http://127.0.0.1:8080")
    for text, insecure, url, accounts in (
        ("me/m", False, "https://registry.ollama.ai", True),
        ("me/m", True, "https://registry.ollama.ai", True),  # never without TLS
        ("OLLAMA.com:443/me/m", False, "https://ollama.com", True),
        ("hf.co/me/m", False, "https://hf.co", False),
        ("registry.ollama.ai.evil.example/me/m", False, "https://registry.ollama.ai.evil.example", False),
        ("www.ollama.com/me/m", False, "https://www.ollama.com", False),
        ("127.0.0.1:8080/me/m", True, "http://127.0.0.1:8080", False),
    ):
        found = registry_url(there, ModelName.parse(text), insecure=insecure)
        assert (found, is_accounts(there, found)) == (url, accounts)
    assert registry_url(standing_in, ModelName.parse("me/m"), insecure=False) == "http://127.0.0.1:8080"
    assert is_accounts(standing_in, "http://127.0.0.1:8080")
    assert not is_accounts(standing_in, "https://registry.ollama.ai")
