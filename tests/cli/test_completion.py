"""What the program offers a shell: from what it remembers, without a credential, and without waiting for a server."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from routed_server import routed_server
from support import AS_A_USER, COMMAND, SECONDS, Cli, Sandbox, clean_environment, needs_a_user


def tags(*names: str, **more: Any) -> dict[str, Any]:
    return {"method": "GET", "path": "/api/tags", "json": {"models": [{"name": name} for name in names]}, **more}


def answer(cli: Cli, *words: str, env: Mapping[str, str] | None = None) -> list[str]:
    """The answer's lines, without what is told of the words."""
    done = cli("__complete", "zsh", stdin="".join(f"{word}\0" for word in words), env=env, cwd=cli.home)
    assert done.stderr == ""
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


def offered(cli: Cli, *words: str, env: Mapping[str, str] | None = None) -> list[str]:
    first, *rest = answer(cli, *words, env=env)
    assert first == "words"
    return rest


def until_offered(cli: Cli, words: list[str], expected: list[str], env: Mapping[str, str]) -> None:
    """Press Tab until what is asked for in the background is there."""
    end = time.monotonic() + SECONDS
    while offered(cli, *words, env=env) != expected:
        assert time.monotonic() < end, offered(cli, *words, env=env)


def test_models_that_a_list_showed_are_offered_without_asking(cli: Cli) -> None:
    with routed_server([tags("gemma3:4b", "gpt-oss:20b", "$(touch here)", "evil\x1b[2J")]) as server:
        env = {"OLLAMA_HOST": server.url}
        assert cli("list", env=env).returncode == 0
        assert offered(cli, "run", "gpt", env=env) == ["gpt-oss:20b"]
        assert offered(cli, "show", "", env=env) == ["gemma3:4b", "gpt-oss:20b"]
        assert offered(cli, "rm", "gemma3:4b", "", env=env) == ["gpt-oss:20b"]
        assert len(server.requests) == 1
    assert offered(cli, "run", "", env={"OLLAMA_HOST": "http://127.0.0.1:1", "OLLAMA_NO_CLOUD": "1"}) == []


def test_what_is_run_made_copied_and_deleted_is_remembered(cli: Cli) -> None:
    (cli.home / "Modelfile").write_text("FROM tiny")
    done = {"ndjson": [{"response": "ok", "done": True, "done_reason": "stop"}]}
    routes: list[dict[str, Any]] = [
        {"method": "POST", "path": "/api/show", "json": {"capabilities": ["completion"]}},
        {"method": "POST", "path": "/api/generate", **done},
        {"method": "POST", "path": "/api/create", "ndjson": [{"status": "success"}]},
        {"method": "POST", "path": "/api/copy", "json": {}},
        {"method": "DELETE", "path": "/api/delete", "json": {}},
    ]
    with routed_server(routes) as server:
        env = {"OLLAMA_HOST": server.url}
        assert cli("run", "tiny", "hi", env=env).returncode == 0
        assert cli("create", "made", env=env, cwd=cli.home).returncode == 0
        assert cli("cp", "tiny", "mine", env=env).returncode == 0
        assert offered(cli, "run", "", env=env) == ["made", "mine", "tiny"]
        assert cli("rm", "tiny", env=env).returncode == 0
        assert offered(cli, "run", "", env=env) == ["made", "mine"]


def test_a_daemon_is_asked_in_the_background_and_waited_for_only_once(cli: Cli) -> None:
    for planted in ("ollama_cli.py", "json.py"):  # in the folder in which somebody presses Tab
        (cli.home / planted).write_text("open('planted', 'w').close()")
    with routed_server([tags("first", times=1), tags("second")]) as server:
        env = {"OLLAMA_HOST": server.url, "OLLAMA_API_KEY": "secret", "OLLAMA_AUTH": "1"}
        until_offered(cli, ["run", ""], ["first"], env)
        assert len(server.requests) == 1
        cache = cli.home / "state" / "cache" / "models.json"
        cache.write_text(cache.read_text().replace('"asked_at": 1', '"asked_at": '))  # long ago
        assert offered(cli, "run", "", env=env) == ["first"]  # at once; the server is asked beside it
        until_offered(cli, ["run", ""], ["second"], env)
        assert [request["authorization"] for request in server.requests] == [None, None]
    assert [path.name for path in (cli.home / "state").iterdir()] == ["cache"]  # no key was made
    assert not (cli.home / "planted").exists()


def test_a_server_that_does_not_answer_costs_a_moment(cli: Cli) -> None:
    let_go = threading.Event()
    with routed_server([tags("late", held=let_go)]) as server:
        env = {"OLLAMA_HOST": server.url}
        assert offered(cli, "run", "", env=env) == []
        assert offered(cli, "run", "", env=env) == []
        assert len(server.requests) <= 1  # it is not asked again for a minute
        let_go.set()


def test_a_daemon_that_is_gone_is_no_error(cli: Cli) -> None:
    assert offered(cli, "run", "", env={"OLLAMA_HOST": "http://127.0.0.1:1"}) == []


def test_the_models_of_ollama_com_are_offered_with_their_suffix_unless_it_is_switched_off(
    device: Cli, sandbox: Sandbox
) -> None:
    env = {"OLLAMA_HOST": "https://ollama.com"}
    assert device("list", env=env).returncode == 0
    assert "gpt-oss:120b-cloud" in offered(device, "run", "gpt-oss:1", env=env)
    assert offered(device, "run", "--cloud", "gpt-oss:1") == ["gpt-oss:120b-cloud"]
    off = env | {"OLLAMA_NO_CLOUD": "1"}
    assert offered(device, "run", "gpt-oss:1", env=off) == []
    assert offered(device, "run", "--cloud", "gpt-oss:1", env=off) == []
    assert [r["headers"].get("authorization") for r in sandbox.requests()] == [None]


def test_a_name_of_the_cloud_is_found_in_the_background_too(device: Cli, sandbox: Sandbox) -> None:
    env = {"OLLAMA_HOST": "https://ollama.com"}
    until_offered(device, ["run", "gpt-oss:120b"], ["gpt-oss:120b-cloud"], env)
    assert [(r["target"], r["headers"].get("authorization")) for r in sandbox.requests()] == [("/api/tags", None)]


def test_the_sandbox_has_its_models_keys_and_chats_and_none_is_started(cli: Cli) -> None:
    assert cli("--sandbox", "signin").returncode == 0
    assert offered(cli, "--sandbox", "run", "gpt-oss:1") == ["gpt-oss:120b-cloud"]
    (fingerprint,) = offered(cli, "--sandbox", "keys", "show", "SHA")
    assert fingerprint in cli("--sandbox", "keys", "list").stdout
    assert answer(cli, "keys", "show", "") == ["files "]
    assert answer(cli, "--sandbox", "chats", "show", "") == ["words"]


def test_keys_are_offered_without_a_keyring(signed_in: Cli) -> None:
    keyring = {"PYTHON_KEYRING_BACKEND": "no.such.Backend"}
    (fingerprint,) = offered(signed_in, "keys", "revoke", "", env=keyring)
    assert fingerprint.startswith("SHA256:")
    assert answer(signed_in, "keys", "revoke", fingerprint, "") == ["files "]


@pytest.mark.parametrize("damage", ["credentials.json", "chats.sqlite3"])
def test_what_cannot_be_read_is_no_error(cli: Cli, damage: str) -> None:
    data = cli.home / "state" / "data"
    data.mkdir(parents=True)
    (data / damage).write_bytes(b"no such thing" * 1000)
    words = ["keys", "show", ""] if damage == "credentials.json" else ["chats", "show", ""]
    assert answer(cli, *words) == (["files "] if damage == "credentials.json" else ["words"])


@pytest.mark.parametrize(
    "env",
    [{"OLLAMA_HOST": "ftp://x"}, {"OLLAMA_CLI_HOME": "relative"}, {"OLLAMA_CLOUD_BASE_URL": "http://example.com"}],
    ids=lambda env: next(iter(env)),
)
def test_an_environment_that_cannot_be_used_still_completes_commands(cli: Cli, env: Mapping[str, str]) -> None:
    assert offered(cli, "run", "", env=env) == []
    assert offered(cli, "ru", env=env) == ["run"]


def test_without_a_home_folder_there_is_an_answer(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    for name in ("HOME", "OLLAMA_CLI_HOME"):
        del cli.environment[name]
    home = {"XDG_CACHE_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "OLLAMA_HOST": "http://127.0.0.1:1"}
    assert offered(cli, "run", "", env=home) == []
    assert offered(cli, "ru", env=home) == ["run"]


@needs_a_user
def test_a_cache_of_another_user_is_neither_believed_nor_asked_for(tmp_path: Path) -> None:
    cache = tmp_path / "state" / "cache"
    cache.mkdir(parents=True, mode=0o755)
    (cache / "models.json").write_text('{"servers": {"http://127.0.0.1:1": {"listed_at": 1, "names": ["planted"]}}}')
    if os.geteuid() == 0:
        for path in (tmp_path, tmp_path / "state"):
            path.chmod(0o755)
        for path in (cache, cache / "models.json"):
            os.chown(path, 12345, 12345)

    done = subprocess.run(
        [*AS_A_USER, COMMAND, "__complete", "fish"],
        input="run\0\0",
        env=clean_environment(tmp_path) | {"OLLAMA_HOST": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("words\n", "")


@pytest.mark.parametrize("shell", [[], ["bash"], ["zsh", "run"], ["refresh", "nosuch"]], ids=" ".join)
@pytest.mark.parametrize("asked", [b"", b"\0", b"x\0y\0z\0", b"\xff\xfe\0", b"-" * 100_000 + b"\0"], ids=range(5))
def test_a_question_that_no_script_asks_is_no_traceback(cli: Cli, shell: list[str], asked: bytes) -> None:
    done = cli("__complete", *shell, stdin=asked, env={"OLLAMA_NO_CLOUD": "1"})
    assert done.returncode in {0, 1}
    assert done.stderr == ""


def test_powershell_ends_what_it_asks_with_a_line_end(cli: Cli) -> None:
    done = cli("__complete", "powershell", stdin="run\0m\0--format\0\0\r\n")
    assert done.stdout == "words\njson\t\n"
