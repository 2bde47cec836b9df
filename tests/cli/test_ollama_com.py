"""ollama.com itself, over TLS and through a proxy, as from behind a company's firewall."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ollama_com import OllamaCom, ollama_com
from support import COMMAND, SECONDS, Cli, Sandbox, can, make_device

from ollama_cli.sandbox.server import EmbeddedSandbox

WITH_MOUNTS = ["unshare", "--map-root-user", "--mount", "--"]
MODEL = "gpt-oss:120b-cloud"


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedSandbox]:
    """A sandbox in this process."""
    with EmbeddedSandbox(tmp_path / "sandbox", pace=0) as sandbox:
        yield sandbox


@pytest.fixture
def com(embedded: EmbeddedSandbox, tmp_path: Path) -> Iterator[OllamaCom]:
    """ollama.com, with that sandbox behind it."""
    with ollama_com(embedded.url, tmp_path) as stand_in:
        yield stand_in


def at(com: OllamaCom, cli: Cli, **more: str) -> Cli:
    """The command, led there."""
    return Cli(cli.home, {**com.environment, **more})


def test_sign_in_run_and_sign_out(embedded: EmbeddedSandbox, com: OllamaCom, cli: Cli) -> None:
    device = at(com, cli)
    link = device("--insecure-storage", "signin", "--no-wait").stdout.strip()
    assert link.startswith("https://ollama.com/connect?")
    key = make_device(device, "https://ollama.com")
    embedded.approve(key.public_key, "laptop")
    assert device("status", "--quiet").returncode == 0
    done = device("run", MODEL, "Why is the sky blue?")
    assert (done.returncode, "Rayleigh" in done.stdout) == (0, True), done.stderr
    assert device("signout").returncode == 0
    assert device("status", "--quiet").returncode == 4


def test_no_proxy_sees_a_credential(embedded: EmbeddedSandbox, com: OllamaCom, cli: Cli) -> None:
    key = embedded.make_api_key()
    assert at(com, cli, OLLAMA_API_KEY=key.reveal())("run", MODEL, "hi").returncode == 0
    assert com.proxy.heads
    for head in com.proxy.heads:
        assert head.startswith("CONNECT ollama.com:443 ")
        assert "uthorization" not in head
        assert key.reveal() not in head


def test_a_clock_is_mended_by_ollama_com(tmp_path: Path, cli: Cli) -> None:
    with (
        EmbeddedSandbox(tmp_path / "sandbox", faults=["*=skew:3600"], pace=0) as away,
        ollama_com(away.url, tmp_path) as com,
    ):
        device = at(com, cli)
        away.approve(make_device(device, "https://ollama.com").public_key, "laptop")
        done = device("run", MODEL, "hi")
    assert done.returncode == 0, done.stderr
    assert "clock is 3600 seconds behind" in re.sub(r"3599|3601", "3600", done.stderr)


def test_a_redirect_is_not_followed(tmp_path: Path, embedded: EmbeddedSandbox, cli: Cli) -> None:
    fault = f"/api/generate=redirect:{embedded.url}/api/generate"
    with EmbeddedSandbox(tmp_path / "other", faults=[fault]) as other, ollama_com(other.url, tmp_path) as com:
        done = at(com, cli, OLLAMA_API_KEY="x")("run", MODEL, "hi", "--json")
    assert (done.returncode, '"redirect"' in done.stderr) == (7, True)


@pytest.mark.parametrize("scheme", ["ALL_PROXY", "all_proxy", "https_proxy"])
def test_a_proxy_is_found_under_every_name(embedded: EmbeddedSandbox, com: OllamaCom, cli: Cli, scheme: str) -> None:
    key = embedded.make_api_key().reveal()
    environment = {"SSL_CERT_FILE": str(com.authority), scheme: com.environment["HTTPS_PROXY"].removeprefix("http://")}
    assert Cli(cli.home, environment)("status", env={"OLLAMA_API_KEY": key}).returncode == 0
    assert com.proxy.heads


def test_a_socks_proxy_resolves_the_name(embedded: EmbeddedSandbox, tmp_path: Path, cli: Cli) -> None:
    key = embedded.make_api_key().reveal()
    with ollama_com(embedded.url, tmp_path, kind="socks5") as com:
        assert at(com, cli, OLLAMA_API_KEY=key)("run", MODEL, "hi").returncode == 0
        assert set(com.proxy.heads) == {"SOCKS ollama.com"}
        com.proxy.refusal = "yes"
        done = at(com, cli, OLLAMA_API_KEY=key)("status", "--json")
    assert (done.returncode, '"proxy"' in done.stderr) == (7, True)


def test_a_proxy_that_speaks_tls_itself(embedded: EmbeddedSandbox, tmp_path: Path, cli: Cli) -> None:
    key = embedded.make_api_key().reveal()
    with ollama_com(embedded.url, tmp_path, kind="https") as com:
        done = at(com, cli, OLLAMA_API_KEY=key)("run", MODEL, "hi")
        assert done.returncode == 0, done.stderr
        assert com.proxy.heads
        untrusting = cli("status", "--json", env={**com.environment, "SSL_CERT_FILE": "", "OLLAMA_API_KEY": key})
    assert (untrusting.returncode, "does not trust" in untrusting.stderr) == (7, True)


def test_a_password_for_the_proxy_goes_to_the_proxy_alone(embedded: EmbeddedSandbox, com: OllamaCom, cli: Cli) -> None:
    key, com.proxy.password = embedded.make_api_key().reveal(), "me:SECRET"
    refused = at(com, cli, OLLAMA_API_KEY=key)("status", "--json")
    assert (refused.returncode, "user name and a password" in refused.stderr) == (7, True)
    known = com.environment["HTTPS_PROXY"].replace("://", "://me:SECRET@")
    done = at(com, cli, OLLAMA_API_KEY=key, HTTPS_PROXY=known)("--debug", "status")
    assert done.returncode == 0
    wrong = at(com, cli, OLLAMA_API_KEY=key, HTTPS_PROXY=known.replace("me:", "you:"))("--debug", "status")
    assert wrong.returncode == 7
    assert "SECRET" not in done.stderr + wrong.stderr + wrong.stdout


def test_a_server_without_tls_is_asked_through_http_proxy(embedded: EmbeddedSandbox, com: OllamaCom, cli: Cli) -> None:
    environment = {"HTTP_PROXY": com.environment["HTTPS_PROXY"], "OLLAMA_HOST": "http://daemon.example:80"}
    done = cli("run", "gpt-oss:20b", "hi", env={**environment, "OLLAMA_API_KEY": "x"})
    assert done.returncode == 4  # the sandbox wants a credential, which nobody gives to a daemon
    assert com.proxy.heads
    assert all(head.startswith("POST http://daemon.example/api/") for head in com.proxy.heads)
    com.proxy.password = "me:SECRET"
    refused = cli("run", "gpt-oss:20b", "hi", "--json", env=environment)
    assert (refused.returncode, '"proxy"' in refused.stderr) == (7, True)
    asked = len(com.proxy.heads)
    past_it = cli("run", "gpt-oss:20b", "hi", "--json", env={**environment, "NO_PROXY": "other.example,daemon.example"})
    assert (past_it.returncode, json.loads(past_it.stderr)["error"]["code"]) == (
        7,
        "dns",
    )  # it asked for the name itself
    assert len(com.proxy.heads) == asked


def test_this_machine_is_reached_without_a_proxy(signed_in: Cli, sandbox: Sandbox) -> None:
    nowhere = dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"], "http://127.0.0.1:9")
    assert signed_in("run", MODEL, "hi", env=nowhere).returncode == 0


@pytest.fixture
def certificates(com: OllamaCom, tmp_path: Path) -> Path:
    """A folder of certificates, as OpenSSL reads one, with that of ollama.com's authority."""
    if shutil.which("openssl") is None:
        pytest.skip("a folder of certificates is made with openssl")
    asked = ["openssl", "x509", "-hash", "-noout", "-in", str(com.authority)]
    name = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / f"{name}.0").write_bytes(com.authority.read_bytes())
    return folder


def test_a_folder_of_certificates_is_trusted_too(
    embedded: EmbeddedSandbox, com: OllamaCom, cli: Cli, certificates: Path
) -> None:
    environment = {"HTTPS_PROXY": com.environment["HTTPS_PROXY"], "OLLAMA_API_KEY": embedded.make_api_key().reveal()}
    assert cli("status", env={**environment, "SSL_CERT_DIR": str(certificates)}).returncode == 0
    assert cli("status", env=environment).returncode == 7


@pytest.mark.skipif(not can(*WITH_MOUNTS), reason="a user namespace is not allowed here")
@pytest.mark.skipif(not Path("/etc/ssl/certs").is_dir(), reason="the system keeps its certificates elsewhere")
def test_the_system_s_trust_store_is_heeded(
    embedded: EmbeddedSandbox, com: OllamaCom, cli: Cli, certificates: Path
) -> None:
    """An administrator has put the authority where this machine's trusted ones stand; no variable names it."""
    credential = {"HTTPS_PROXY": com.environment["HTTPS_PROXY"], "OLLAMA_API_KEY": embedded.make_api_key().reveal()}
    put_there = 'mount --bind "$0" /etc/ssl/certs && exec "$@"'
    done = subprocess.run(
        [*WITH_MOUNTS, "sh", "-c", put_there, str(certificates), COMMAND, "status", "--json"],
        env=cli.environment | credential,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["place"] == "https://ollama.com"
