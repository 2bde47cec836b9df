"""``list``, ``show``, ``ps``, ``stop``, ``cp`` and ``rm``: what is asked of which server, and what is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forking import Forks
from routed_server import routed_server
from support import Cli, Sandbox, closed_port
from terminals import finish, pexpect_child

pytestmark = pytest.mark.forked

TINY = {"name": "tiny:latest", "model": "tiny:latest", "size": 5, "digest": "ab", "modified_at": "", "details": {}}
STUB = {**TINY, "name": "big:cloud", "model": "big:cloud", "remote_host": "https://ollama.com:443"}
HOSTILE = "\x1b]52;c;aGFjaw==\x07Good\x1b[2J news\u202e"


def route(method: str, path: str, status: int = 200, **answer: Any) -> dict[str, Any]:
    return {"method": method, "path": path, "status": status, **answer}


def shown(**told: Any) -> dict[str, Any]:
    return route("POST", "/api/show", json={"capabilities": ["completion"], **told})


UNLOADED = route("POST", "/api/generate", ndjson=[{"response": "", "done": True, "done_reason": "unload"}])
DELETED = route("DELETE", "/api/delete", json=None)


def asked(requests: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(request["path"], request["json"]) for request in requests]


# list


def test_the_cloud_is_listed_for_anybody_by_the_names_that_run_takes(device: Cli, sandbox: Sandbox) -> None:
    done = device("list", "--cloud", "GPT")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["NAME", "gpt-oss:120b-cloud", "gpt-oss:20b-cloud"]
    assert [request["headers"].get("authorization") for request in sandbox.requests()] == [None]
    assert not (device.home / "state" / "data").exists()


def test_a_cloud_that_wants_a_credential_for_its_list_gets_it(cli: Cli) -> None:
    routes = [route("GET", "/api/tags", 401, json={"error": "unauthorized"}, times=1)]
    routes.append(route("GET", "/api/tags", json={"models": [TINY]}))
    with routed_server(routes) as server:
        environment = {"OLLAMA_CLOUD_BASE_URL": server.url, "OLLAMA_API_KEY": "key"}
        done = cli("list", "--cloud", env=environment)
    assert done.returncode == 0, done.stderr
    assert [request["authorization"] for request in server.requests] == [None, "Bearer key"]


def test_a_list_as_json_is_what_the_server_tells(cli: Cli) -> None:
    with routed_server([route("GET", "/api/tags", json={"models": [TINY, {"size": 1}, "x"]})]) as server:
        done = cli("list", "--json", env={"OLLAMA_HOST": server.url})
        cloud = cli("list", "--json", "--cloud", env={"OLLAMA_CLOUD_BASE_URL": server.url})
    assert json.loads(done.stdout) == [TINY]
    assert json.loads(cloud.stdout) == [{**TINY, "name": "tiny:latest-cloud"}]


@pytest.mark.parametrize("command", [("run", "hi"), ("show",), ("stop",), ("rm",)], ids=lambda words: words[0])
def test_a_mistyped_name_is_answered_with_the_one_that_was_listed(cli: Cli, command: tuple[str, ...]) -> None:
    verb, *rest = command
    missing = {"error": "model 'gema3' not found"}
    routes = [
        route("GET", "/api/tags", json={"models": [TINY, {"name": "gemma3:4b"}]}),
        route("POST", "/api/pull", ndjson=[{"error": "pull model manifest: file does not exist"}]),
        *(
            route(method, path, 404, json=missing)
            for method, path in (("POST", "/api/show"), ("DELETE", "/api/delete"))
        ),
    ]
    with routed_server(routes) as server:
        environment = {"OLLAMA_HOST": server.url}
        assert cli("list", env=environment).returncode == 0
        done = cli(verb, "gema3", *rest, env=environment)
    assert done.returncode == 3
    assert "  Did you mean gemma3:4b?" in done.stderr


def test_a_mistyped_name_of_the_clouds_is_answered_with_the_one_that_was_listed(signed_in: Cli) -> None:
    assert signed_in("list", "--cloud").returncode == 0
    for command in (["run", "gpt-oss:12b-cloud", "hi"], ["show", "gpt-oss:12b-cloud"]):
        done = signed_in(*command)
        assert done.returncode == 3
        assert "  Did you mean gpt-oss:120b-cloud? Models: https://" in done.stderr


@pytest.fixture
def without_daemon(tmp_path: Path) -> Iterator[Forks]:
    """Runs commands on a machine on which nothing listens where a daemon does."""
    with closed_port() as port:
        forks = Forks(tmp_path, moved={11434: port})
        yield forks
        forks.close()


def test_without_a_daemon_the_list_says_so_and_is_the_clouds(without_daemon: Forks, device: Cli) -> None:
    done = without_daemon("list", env=device.environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "Note: No Ollama server answers at http://127.0.0.1:11434. These are the models of ollama.com.\n"
    )
    assert "gpt-oss:120b-cloud" in done.stdout
    assert isinstance(json.loads(without_daemon("ls", "--json", env=device.environment).stdout), list)


def test_without_a_daemon_and_a_cloud_nothing_is_said_to_be_listed(without_daemon: Forks, cli: Cli) -> None:
    done = without_daemon("list", env=cli.environment | {"OLLAMA_CLOUD_BASE_URL": "http://127.0.0.1:9"})
    note, error, *_ = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (7, "")
    assert note == "Note: No Ollama server answers at http://127.0.0.1:11434."
    assert error.startswith("Error: ")


def test_without_a_daemon_a_disabled_cloud_is_not_listed(without_daemon: Forks, device: Cli, sandbox: Sandbox) -> None:
    done = without_daemon("list", "--json", env=device.environment | {"OLLAMA_NO_CLOUD": "1"})
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (7, "no_daemon")
    assert sandbox.requests() == []


@pytest.mark.parametrize("command", [["list"], ["ps"], ["show", "tiny"], ["stop", "a"], ["cp", "a", "b"], ["rm", "a"]])
def test_a_named_daemon_that_does_not_answer_is_an_error(cli: Cli, command: list[str]) -> None:
    done = cli(*command, env={"OLLAMA_HOST": "http://127.0.0.1:9"})
    assert done.returncode == 7
    assert done.stderr.startswith("Error: No Ollama server answers at http://127.0.0.1:9.\n")
    assert "ollama serve" in done.stderr


@pytest.mark.parametrize("command", [["list"], ["ps"], ["show", "tiny"], ["stop", "a"], ["cp", "a", "b"], ["rm", "a"]])
def test_a_daemon_that_is_not_signed_in_says_how(cli: Cli, command: list[str]) -> None:
    paths = [("GET", "tags"), ("GET", "ps"), ("POST", "show"), ("POST", "copy"), ("DELETE", "delete")]
    refusals = [route(method, f"/api/{name}", 401, json={"error": "unauthorized"}) for method, name in paths]
    with routed_server(refusals) as server:
        done = cli(*command, "--json", env={"OLLAMA_HOST": server.url})
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"]) == (4, "signin_required")
    assert server.url in error["message"]


def test_names_of_models_cannot_drive_a_terminal(cli: Cli) -> None:
    models = [{**TINY, "name": HOSTILE, "digest": HOSTILE}]
    routes = [route("GET", path, json={"models": models}) for path in ("/api/tags", "/api/ps")]
    details = dict.fromkeys(("license", "parameters", "system", "modelfile"), HOSTILE)
    routes.append(shown(**details, model_info={HOSTILE: HOSTILE, "list": [HOSTILE]}, remote_host=HOSTILE))
    with routed_server(routes) as server:
        for command in (["list"], ["ps"], ["show", "-v", "x"], ["show", "--license", "x"]):
            child = pexpect_child(Cli(cli.home, {"OLLAMA_HOST": server.url}), *command)
            _, text = finish(child)
            assert "Good news" in text
            assert not re.search(r"\x1b\]|\x1b\[2J|\u202e", text)


# show


def test_a_cloud_model_is_shown_by_ollama_com_without_its_suffix(signed_in: Cli, sandbox: Sandbox) -> None:
    done = signed_in("show", "gpt-oss:120b-cloud")
    assert done.returncode == 0, done.stderr
    assert "    architecture        gptoss\n" in done.stdout
    sent = sandbox.requests()[-1]
    assert sent["target"].startswith("/api/show?ts=")
    assert sent["body"] == {"model": "gpt-oss:120b"}


def test_show_asks_for_a_sign_in_where_ollama_com_does(device: Cli) -> None:
    done = device("--insecure-storage", "show", "--json", "gpt-oss:120b-cloud")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"]) == (4, "signin_required")
    assert "/connect?" in error["signin_url"]


def test_no_such_model_in_the_cloud(signed_in: Cli) -> None:
    done = signed_in("show", "--cloud", "nope")
    assert done.returncode == 3
    assert "There is no model 'nope'" in done.stderr


def test_show_as_json_is_the_whole_answer_or_one_text_of_it(cli: Cli) -> None:
    with routed_server([shown(license="MIT", extra=[1])]) as server:
        whole = cli("show", "tiny", "--json", "--verbose", env={"OLLAMA_HOST": server.url})
        part = cli("show", "tiny", "--json", "--license", env={"OLLAMA_HOST": server.url})
    assert json.loads(whole.stdout) == {"capabilities": ["completion"], "license": "MIT", "extra": [1]}
    assert json.loads(part.stdout) == {"license": "MIT"}
    assert asked(server.requests)[0] == ("/api/show", {"model": "tiny", "verbose": True})


def test_two_texts_at_once_are_refused_before_anything_is_asked(cli: Cli) -> None:
    with routed_server([shown()]) as server:
        done = cli("show", "tiny", "--template", "--license", env={"OLLAMA_HOST": server.url})
    assert (done.returncode, done.stdout, server.requests) == (2, "", [])
    assert "--license and --template" in done.stderr


def test_everything_that_is_known_of_a_model(cli: Cli) -> None:
    told = {
        "model_info": {"general.architecture": "llama", "general.parameter_count": 7_000_000, "tokens": ["a"] * 9},
        "projector_info": {
            "general.architecture": "clip",
            "general.parameter_count": 1_234_567,
            "clip.vision.embedding_length": 1024,
            "clip.audio.projection_dim": 512,
        },
        "tensors": [{"name": "blk.0.attn_q.weight", "type": "Q4_K", "shape": [2048, 512]}],
        "requires": "0.14.0",
        "system": "One.\n\nTwo.\nThree.",
    }
    with routed_server([shown(**told)]) as server:
        done = cli("show", "tiny", "-v", env={"OLLAMA_HOST": server.url})
    assert done.stdout == (
        "  Model\n    architecture    llama\n    parameters      7M\n    requires        0.14.0\n\n"
        "  Capabilities\n    completion\n\n"
        "  Projector\n    architecture        clip\n    parameters          1.23M\n"
        "    embedding length    1024\n    dimensions          512\n\n"
        "  Metadata\n    general.architecture       llama\n    general.parameter_count    7e+06\n"
        "    tokens                     [a a a ...+6 more]\n\n"
        "  Tensors\n    blk.0.attn_q.weight    Q4_K    [2048 512]\n\n"
        "  System\n    One.\n    Two.\n    ...\n\n"
    )


def test_details_with_a_vocabulary_may_be_long(cli: Cli) -> None:
    words = ["a vocabulary has hundreds of thousands of words"] * 200_000
    with routed_server([shown(model_info={"tokens": words})]) as server:
        done = cli("show", "tiny", "-v", env={"OLLAMA_HOST": server.url})
    assert done.returncode == 0, done.stderr
    assert "...+199999 more" in done.stdout


def test_a_text_of_a_model_is_piped_unchanged(cli: Cli) -> None:
    template = f"{{{{ .Prompt }}}}\r\n\t{HOSTILE}"
    with routed_server([shown(template=template)]) as server:
        environment = {"OLLAMA_HOST": server.url}
        assert cli("show", "tiny", "--template", env=environment).stdout == template
        without = cli("show", "tiny", "--system", env=environment)
    assert (without.returncode, without.stdout) == (0, "")
    assert without.stderr == "The model has no system message of its own.\n"


# ps, stop, cp, rm


def test_ps_as_json_is_what_the_server_tells(cli: Cli) -> None:
    told = {"name": "tiny:latest", "size": 1000, "size_vram": 250, "expires_at": "2020-01-01T00:00:00Z"}
    with routed_server([route("GET", "/api/ps", json={"models": [told]})]) as server:
        environment = {"OLLAMA_HOST": server.url}
        assert json.loads(cli("ps", "--json", env=environment).stdout) == [told]
        assert json.loads(cli("ps", "--json", "gpt", env=environment).stdout) == []
        table = cli("ps", env=environment).stdout
    assert "75%/25% CPU/GPU" in table
    assert "Stopping..." in table


@pytest.mark.parametrize("command", [["ps"], ["stop", "a"], ["cp", "a", "b"], ["rm", "a"]])
@pytest.mark.parametrize("before", [["--sandbox"], []], ids=["sandbox", "ollama.com"])
def test_ollama_coms_models_are_not_ours_to_change(cli: Cli, before: list[str], command: list[str]) -> None:
    done = cli(*before, *command, env={"OLLAMA_HOST": "https://ollama.com"})
    assert (done.returncode, done.stdout) == (2, "")
    assert f"`{command[0]}` works on the models of an Ollama server" in done.stderr


def test_a_model_that_runs_in_the_cloud_is_not_stopped(cli: Cli) -> None:
    with routed_server([shown(remote_host="https://ollama.com:443", remote_model="big")]) as server:
        environment = {"OLLAMA_HOST": server.url}
        assert json.loads(cli("stop", "--json", "big:cloud", env=environment).stdout) == {
            "model": "big:cloud",
            "stopped": False,
        }
        assert "runs in the cloud" in cli("stop", "big:cloud", env=environment).stderr
    assert {path for path, _ in asked(server.requests)} == {"/api/show"}


def test_stop_and_cp_as_json(cli: Cli) -> None:
    with routed_server([shown(), UNLOADED, route("POST", "/api/copy", text="")]) as server:
        environment = {"OLLAMA_HOST": server.url}
        stopped = cli("stop", "--json", "tiny", env=environment)
        copied = cli("cp", "--json", "tiny", "other", env=environment)
    assert json.loads(stopped.stdout) == {"model": "tiny", "stopped": True}
    assert json.loads(copied.stdout) == {"source": "tiny", "destination": "other"}


def test_rm_ends_at_the_first_model_that_it_cannot_delete_and_tells_what_is_done(cli: Cli) -> None:
    routes = [shown(), UNLOADED, {**DELETED, "times": 1}]
    routes.append(route("DELETE", "/api/delete", 404, json={"error": "model 'b' not found"}))
    with routed_server(routes) as server:
        done = cli("rm", "--json", "a", "b", "c", env={"OLLAMA_HOST": server.url})
    assert (done.returncode, json.loads(done.stdout)) == (3, {"deleted": ["a"]})
    error = json.loads(done.stderr)["error"]
    assert (error["code"], error["hint"]) == ("model_not_found", "`ollama-cli list` shows the models that it has.")
    assert [body["model"] for path, body in asked(server.requests) if path == "/api/delete"] == ["a", "b"]


def test_a_model_that_cannot_be_stopped_is_deleted_all_the_same(cli: Cli) -> None:
    failing = route("POST", "/api/generate", 400, json={"error": "it is busy"})
    with routed_server([shown(), failing, DELETED]) as server:
        done = cli("rm", "a", env={"OLLAMA_HOST": server.url})
    assert done.returncode == 0
    assert done.stderr.startswith("Warning: a could not be stopped. ")
    assert done.stderr.endswith("a is deleted.\n")


def test_a_portals_page_deletes_nothing(cli: Cli) -> None:
    with routed_server([shown(), UNLOADED, route("DELETE", "/api/delete", text="<html>Sign in</html>")]) as server:
        done = cli("rm", "a", env={"OLLAMA_HOST": server.url})
    assert done.returncode == 7
    assert "is deleted" not in done.stderr
