"""What ``run`` does beside what the reference does: for scripts, and at ollama.com, where nothing is asked before."""

from __future__ import annotations

import ast
import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
from conftest import sign_in
from routed_server import routed_server
from support import COMMAND, Cli, Sandbox

MODEL = "gpt-oss:120b-cloud"
SEES = "qwen3-vl:235b-cloud"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGM4IScHRwzEcQCxYxBBO0tjggAAAABJRU5ErkJggg=="
)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28)
SHOW = {"method": "POST", "path": "/api/show", "json": {"capabilities": ["completion"]}}
LAST = {"response": "", "done": True, "done_reason": "stop", "eval_count": 3, "eval_duration": 10**9}


def generating(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    """The routes of a daemon whose model answers so."""
    return [SHOW, {"method": "POST", "path": "/api/generate", "ndjson": list(lines)}]


def asked(requests: list[dict[str, Any]], path: str = "/api/generate") -> dict[str, Any]:
    """The body of the one request for a path."""
    (body,) = [request["json"] for request in requests if request["path"] == path]
    found: dict[str, Any] = body
    return found


def test_a_cloud_model_is_asked_with_one_request(signed_in: Cli, sandbox: Sandbox) -> None:
    before = len(sandbox.requests())
    done = signed_in("run", MODEL, "hi", "--think=low", "--option", "temperature=0", "--system", "Be brief.")
    assert done.returncode == 0, done.stderr
    (request,) = sandbox.requests()[before:]
    assert request["target"].startswith("/api/generate?ts=")


def test_a_schema_file_may_begin_with_a_byte_order_mark(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps({"type": "object"}), encoding="utf-8-sig")
    with routed_server(generating({"response": "{}"}, LAST)) as server:
        done = cli("run", "tiny", "hi", "--schema", str(file), env={"OLLAMA_HOST": server.url})
    assert done.returncode == 0, done.stderr


def test_every_option_reaches_the_request(cli: Cli) -> None:
    with routed_server(generating({"response": "{}"}, LAST)) as server:
        words = ["hi", "--system", "s", "--option", "stop=x", "--option", "seed=7", "--keepalive=-1s", "--think=max"]
        done = cli("run", "--format=json", "tiny", *words, env={"OLLAMA_HOST": server.url})
    assert done.returncode == 0, done.stderr
    assert asked(server.requests) == {
        "model": "tiny",
        "prompt": "hi",
        "system": "s",
        "format": "json",
        "think": "max",
        "keep_alive": "-1s",
        "options": {"stop": ["x"], "seed": 7},
    }


def test_a_prompt_that_begins_with_a_dash(cli: Cli) -> None:
    with routed_server(generating({"response": "ok"}, LAST)) as server:
        refused = cli("run", "tiny", "-5", "degrees?", env={"OLLAMA_HOST": server.url})
        done = cli("run", "tiny", "--", "-5", "degrees?", env={"OLLAMA_HOST": server.url})
    assert refused.returncode == 2
    assert "after `--`" in refused.stderr
    assert done.returncode == 0
    assert asked(server.requests)["prompt"] == "-5 degrees?"


def test_json_is_one_object(signed_in: Cli) -> None:
    done = signed_in("run", MODEL, "Why is the sky blue?", "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert "Rayleigh" in answer["answer"]
    assert answer["thinking"]
    assert answer["model"] == "gpt-oss:120b"
    assert (answer["done"], answer["done_reason"]) == (True, "stop")
    assert answer["eval_count"] > 0
    assert answer["total_duration"] > 0


def test_json_lines_are_the_stream(signed_in: Cli) -> None:
    done = signed_in("run", MODEL, "Why is the sky blue?", "--json-lines")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert "Rayleigh" in "".join(line.get("answer", "") for line in lines)
    assert any("thinking" in line for line in lines)
    assert [line["done"] for line in lines if "done" in line] == [True]
    assert lines[-1]["done_reason"] == "stop"


def test_json_tells_tool_calls(cli: Cli) -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}
    with routed_server(generating({"response": "", "tool_calls": [call]}, LAST)) as server:
        done = cli("run", "tiny", "hi", "--json", env={"OLLAMA_HOST": server.url})
        lines = cli("run", "tiny", "hi", "--json-lines", env={"OLLAMA_HOST": server.url})
    expected = {"name": "weather", "arguments": {"city": "Oslo"}}
    assert json.loads(done.stdout)["tool_calls"] == [expected]
    assert json.loads(lines.stdout.splitlines()[0]) == {"tool_call": expected}


@pytest.mark.parametrize("seconds", ["inf", "1e400", "99999999999", "9000000000"])
def test_a_time_that_no_clock_counts_to_is_no_limit(cli: Cli, seconds: str) -> None:
    with routed_server(generating({"response": "ok"}, LAST)) as server:
        done = cli("run", "tiny", "hi", "--timeout", seconds, env={"OLLAMA_HOST": server.url})
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


@pytest.mark.parametrize("command", [["run", "tiny", "hi"], ["signin"]], ids=["run", "signin"])
def test_a_time_that_is_no_number(cli: Cli, command: list[str]) -> None:
    done = cli(*command, "--timeout", "nan", "--json", env={"OLLAMA_HOST": "127.0.0.1:1"})
    assert done.returncode == 2
    assert json.loads(done.stderr)["error"]["message"] == "A time is a number of seconds."


@pytest.mark.parametrize("how", ["--json", "--json-lines", "--nowordwrap"])
def test_what_came_of_a_broken_answer_is_kept(cli: Cli, how: str) -> None:
    with routed_server(generating({"response": "half an"})) as server:
        done = cli("run", "tiny", "hi", how, env={"OLLAMA_HOST": server.url})
    assert done.returncode == 8
    assert "half an" in done.stdout
    if how == "--json":
        assert json.loads(done.stdout)["done"] is False
        assert json.loads(done.stderr)["error"]["status"] == 8


@pytest.mark.parametrize(
    ("line", "answer", "status"),
    [
        ('{"response": "a", "error": null}', "a\n", 0),
        ('{"response": "a", "error": ""}', "a\n", 0),
        ('{"response": "a\\ud83d"}', "a\ufffd\n", 0),
        ('{"response": "a", "rate": NaN}', "", 8),
        ('{"response": "a", "rate": -Infinity}', "", 8),
        ('{"response": "a", "rate": 1e999}', "", 8),
    ],
    ids=["null", "empty", "half", "nan", "infinity", "large"],
)
def test_a_line_at_the_edge_of_what_is_an_answer(cli: Cli, line: str, answer: str, status: int) -> None:
    with routed_server([SHOW, {"method": "POST", "path": "/api/generate", "ndjson": [line, LAST]}]) as server:
        done = cli("run", "tiny", "hi", env={"OLLAMA_HOST": server.url})
    assert (done.returncode, done.stdout) == (status, answer), done.stderr


@pytest.mark.parametrize("how", ["--json", "--json-lines"])
def test_a_tool_call_may_be_nested_deeply(cli: Cli, how: str) -> None:
    line = '{"tool_calls": [{"function": {"name": "f", "arguments": %s}}]}' % ("[" * 700 + "]" * 700)
    with routed_server([SHOW, {"method": "POST", "path": "/api/generate", "ndjson": [line, LAST]}]) as server:
        done = cli("run", "tiny", "hi", how, env={"OLLAMA_HOST": server.url})
    assert done.returncode == 0, done.stderr
    assert "[" * 700 in done.stdout


def test_an_answer_that_was_cut_at_a_limit_is_told(cli: Cli) -> None:
    with routed_server(generating({"response": "half an"}, {**LAST, "done_reason": "length"})) as server:
        done = cli("run", "tiny", "hi", env={"OLLAMA_HOST": server.url})
    assert done.returncode == 0
    assert done.stdout == "half an\n"
    assert done.stderr.startswith("Warning: the answer stops where it reached the longest")


@pytest.mark.parametrize("pieces", [0, 3])
def test_a_limit_for_the_whole_ends_it_and_keeps_what_came(
    start: Callable[..., Sandbox], tmp_path: Path, pieces: int
) -> None:
    sandbox = start(f"POST /api/generate=stall:{pieces}")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": sandbox.url})
    sign_in(device, sandbox)
    done = device("run", MODEL, "hi", "--timeout", "2", "--json")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"], error["retryable"]) == (7, "timed_out", True)
    assert bool(done.stdout) == bool(pieces)


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ('{"n": 4}', 0, ""),
        ('{"n": "four"}', 8, "at $.n"),
        ("{}", 8, "at $"),
        ("four", 8, "no JSON"),
        ("[" * 100_000, 8, "no JSON"),
        ("NaN", 8, "no JSON"),
        ('{"n": 1e999}', 8, "no JSON"),
    ],
    ids=["kept", "type", "missing", "text", "deep", "nan", "infinite"],
)
def test_schema(cli: Cli, tmp_path: Path, answer: str, status: int, said: str) -> None:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(SCHEMA))
    with routed_server(generating({"response": answer}, LAST)) as server:
        done = cli("run", "tiny", "hi", "--schema", str(file), env={"OLLAMA_HOST": server.url})
    assert done.returncode == status, done.stderr
    assert done.stdout == f"{answer}\n"
    assert said in done.stderr
    assert asked(server.requests)["format"] == SCHEMA


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "is no JSON"),
        ("[]", "that is an object"),
        ('{"type": "thing"}', "is no JSON Schema"),
        ("[" * 100_000, "is no JSON"),
        ('{"items":' * 400 + "{}" + "}" * 400, "nested too deeply"),
        ('{"maximum": NaN}', "is no JSON"),
        (r'{"title": "\ud800"}', "is no JSON"),
        ('{"$schema": []}', "its $schema is no text"),
    ],
    ids=["missing", "cut", "list", "type", "deep", "nested", "nan", "half", "dialect"],
)
def test_a_schema_that_is_none_is_told_before_anything_is_asked(
    cli: Cli, tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "schema.json"
    if content is not None:
        file.write_text(content)
    done = cli("run", "tiny", "hi", "--schema", str(file), "--json", env={"OLLAMA_HOST": "127.0.0.1:1"})
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["code"]) == (2, "bad_file")
    assert said in error["message"]


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "--json-lines"],
        ["--think=maybe"],
        ["--keepalive", "soon"],
        ["--option", "warmth=1"],
        ["--option", "temperature=warm"],
        ["--format", "xml"],
        ["--format", '{"maximum": NaN}'],
        ["--format", "json", "--schema", "schema.json"],
        ["--truncate=perhaps"],
        ["--dimensions", "-1"],
        ["--image", "nowhere.png"],
        ["--image", "."],
        ["--image", "text.png"],
        ["--output", "nowhere/answer.txt"],
        ["--output", "."],
    ],
    ids=" ".join,
)
def test_options_that_cannot_be_are_told_before_anything_is_asked(cli: Cli, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    with routed_server([SHOW]) as server:
        done = cli("run", "tiny", "hi", *words, env={"OLLAMA_HOST": server.url}, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert not done.stdout
    assert [request for request in server.requests if request["path"] != "/api/show"] == []


def test_a_file_named_by_option_or_in_the_prompt_goes_along(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a b.png").write_bytes(PNG)
    (tmp_path / "sound.wav").write_bytes(WAV)
    sees = {**SHOW, "json": {"capabilities": ["completion", "vision", "audio"]}}
    with routed_server([sees, *generating({"response": "ok"}, LAST)[1:]]) as server:
        env = {"OLLAMA_HOST": server.url}
        done = cli("run", "eyes", "what is './a b.png'", "--image", "sound.wav", env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    body = asked(server.requests)
    assert body["prompt"] == "what is"
    assert [base64.b64decode(image) for image in body["images"]] == [WAV, PNG]
    assert "a b.png" in done.stderr


@pytest.mark.parametrize(
    "line", ["ab/cd+" * 500_000, "see ./a b.png " * 20_000, "a.b-" * 500_000], ids=["slashes", "names", "schemes"]
)
def test_a_prompt_of_megabytes_on_one_line_is_searched_for_files_at_once(cli: Cli, line: str) -> None:
    show = {**SHOW, "json": {"capabilities": ["completion", "vision"]}}
    with routed_server([show, *generating({"response": "ok"}, LAST)]) as server:
        done = cli("run", "tiny", stdin=line, env={"OLLAMA_HOST": server.url})
    assert done.stdout == "ok\n", done.stderr
    assert asked(server.requests)["prompt"] == line


def test_a_model_without_eyes_gets_the_name_as_text(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    with routed_server(generating({"response": "ok"}, LAST)) as server:
        done = cli("run", "tiny", "see ./cat.png", env={"OLLAMA_HOST": server.url}, cwd=tmp_path)
    assert done.returncode == 0
    assert asked(server.requests)["prompt"] == "see ./cat.png"


def test_a_picture_goes_to_a_cloud_model_that_sees(signed_in: Cli, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    named = signed_in("run", SEES, "What is in ./cat.png ?", cwd=tmp_path)
    given = signed_in("run", SEES, "What is this?", "--image", "cat.png", cwd=tmp_path)
    assert named.returncode == given.returncode == 0, named.stderr + given.stderr
    assert "image" in named.stdout
    assert "image" in given.stdout


def test_an_embedding_model_in_the_cloud(signed_in: Cli) -> None:
    found_out = signed_in("run", "embeddinggemma:cloud", "hello")
    told = signed_in("run", "embeddinggemma:cloud", "hello", "--dimensions", "3", "--json")
    assert found_out.returncode == told.returncode == 0, found_out.stderr + told.stderr
    assert len(json.loads(found_out.stdout)) > 3
    assert len(json.loads(told.stdout)["embedding"]) == 3
    assert json.loads(told.stdout)["model"] == "embeddinggemma"
    writes = signed_in("run", MODEL, "hello", "--dimensions", "3", "--truncate")  # which a model that writes ignores
    assert (writes.returncode, writes.stdout.startswith("You said")) == (0, True), writes.stderr


@pytest.mark.parametrize(
    "vectors",
    [None, [], [[]], [["a"]], [[1], [2]], "x", [[float("nan")]], [[10**400]]],
    ids=lambda value: str(value)[:9],
)
def test_an_answer_without_an_embedding(cli: Cli, vectors: Any) -> None:
    routes = [
        {**SHOW, "json": {"capabilities": ["embedding"]}},
        {"method": "POST", "path": "/api/embed", "json": {"embeddings": vectors}},
    ]
    with routed_server(routes) as server:
        assert cli("run", "embed", "hi", env={"OLLAMA_HOST": server.url}).returncode == 8


def test_output_takes_the_place_of_stdout(signed_in: Cli, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    done = signed_in("run", MODEL, "Why is the sky blue?", "--output", str(file))
    assert done.returncode == 0, done.stderr
    assert not done.stdout
    assert "Rayleigh" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~_umask()
    assert [path.name for path in tmp_path.glob("*answer*")] == ["answer.txt"]


def test_output_of_a_broken_answer_leaves_the_file_as_it_was(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_text("the old one")
    file.chmod(0o600)
    with routed_server(generating({"response": "half an"})) as server:
        done = cli("run", "tiny", "hi", "-o", str(file), env={"OLLAMA_HOST": server.url})
    assert done.returncode == 8
    assert file.read_text() == "the old one"
    assert (tmp_path / "answer.txt.incomplete").read_text() == "half an\n"
    assert "answer.txt.incomplete" in done.stderr


@pytest.mark.parametrize("name", ["n" * 255, "é" * 127], ids=["ascii", "wide"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "broken"])
def test_output_to_a_file_with_the_longest_name_there_is(cli: Cli, tmp_path: Path, name: str, *, whole: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with routed_server(generating({"response": "an answer"}, *([LAST] if whole else []))) as server:
        done = cli("run", "tiny", "hi", "-o", str(folder / name), env={"OLLAMA_HOST": server.url})
    assert done.returncode == (0 if whole else 8), done.stderr
    (file,) = folder.iterdir()
    assert file.read_text() == "an answer\n"
    assert (file.name == name) == whole


@pytest.mark.skipif(sys.platform == "win32", reason="no file can be named so there")
def test_no_control_sequence_of_a_file_s_name_is_told(cli: Cli, tmp_path: Path) -> None:
    picture, answer = tmp_path / "a\x1b]0;b\x07c.png", tmp_path / "d\x1b[31me"
    picture.write_bytes(PNG)
    show = {**SHOW, "json": {"capabilities": ["completion", "vision"]}}
    with routed_server([show, *generating({"response": "half an"})]) as server:
        done = cli("run", "tiny", f"see {picture}", "-o", str(answer), env={"OLLAMA_HOST": server.url})
    assert "ac.png along" in done.stderr
    assert "de.incomplete" in done.stderr
    assert "\x1b" not in done.stderr


def test_output_keeps_links_and_modes_and_serves_pipes(cli: Cli, tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    with routed_server(generating({"response": "new"}, LAST)) as server:
        env = {"OLLAMA_HOST": server.url}
        assert cli("run", "tiny", "hi", "-o", str(link), env=env).returncode == 0
        assert cli("run", "tiny", "hi", "-o", "/dev/stdout", env=env).stdout == "new\n"
    assert link.is_symlink()
    assert target.read_text() == "new\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_output_to_a_disk_that_is_full(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    with routed_server(generating({"response": "x" * 10_000}, LAST)) as server:
        limited = f'ulimit -f 4; trap "" XFSZ; exec {COMMAND} run tiny hi -o {file}'
        done = subprocess.run(
            ["bash", "-c", limited],
            env=cli.environment | {"OLLAMA_HOST": server.url},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert not file.exists()
    assert "The output cannot be written: File too large" in done.stderr


def test_a_missing_model_is_loaded_with_a_line_a_step(cli: Cli) -> None:
    missing: dict[str, Any] = {**SHOW, "status": 404, "json": {"error": "not found"}, "times": 1}
    layer: dict[str, Any] = {"status": "pulling 17", "digest": "sha256:17", "total": 1000, "completed": 10}
    steps = [{"status": "pulling manifest"}, layer, {**layer, "completed": 1000}, {"status": "success"}]
    routes: list[dict[str, Any]] = [missing, {"method": "POST", "path": "/api/pull", "ndjson": steps}]
    with routed_server([*routes, *generating({"response": "ok"}, LAST)]) as server:
        done = cli("run", "tiny", "hi", "--insecure", env={"OLLAMA_HOST": server.url})
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["pulling manifest", "pulling 17 (1 KB)", "success"]
    assert asked(server.requests, "/api/pull") == {"model": "tiny", "insecure": True}


def test_steps_of_loading_that_make_no_sense_are_shown_as_far_as_they_do(cli: Cli) -> None:
    missing: dict[str, Any] = {**SHOW, "status": 404, "json": {"error": "not found"}, "times": 1}
    steps: list[dict[str, Any]] = [
        {"status": "pulling a:cloud:b [bold]"},
        {"status": "pulling [/b]\x1b]0;title\x07c", "digest": "sha256:\x1b[31m", "total": 10**4000, "completed": -5},
        {"status": 5, "digest": ["d"], "total": "9", "completed": 10**400},
        {"status": "success"},
    ]
    routes: list[dict[str, Any]] = [missing, {"method": "POST", "path": "/api/pull", "ndjson": steps}]
    with routed_server([*routes, *generating({"response": "ok"}, LAST)]) as server:
        environment = cli.environment | {"OLLAMA_HOST": server.url, "TERM": "dumb"}
        child = pexpect.spawn(COMMAND, ["run", "tiny", "hi"], env=environment, timeout=30)
        child.expect(pexpect.EOF)
        child.close()
    said = child.before or b""
    assert child.exitstatus == 0, said
    assert b"pulling a:cloud:b [bold]" in said
    assert b"[/b]c" in said
    assert b"title" not in said


def test_loading_that_stops_in_the_middle(cli: Cli) -> None:
    missing = {"method": "POST", "path": "/api/show", "status": 404, "json": {"error": "not found"}}
    pull = {"method": "POST", "path": "/api/pull", "ndjson": [{"status": "pulling manifest"}]}
    with routed_server([missing, pull]) as server:
        done = cli("run", "tiny", "hi", env={"OLLAMA_HOST": server.url})
    assert done.returncode == 8
    assert "stopped in the middle of the work" in done.stderr


@pytest.mark.parametrize(("key", "status"), [("y", 0), ("n", 3)])
def test_a_person_is_offered_the_cloud_model_of_the_same_name(
    signed_in: Cli, sandbox: Sandbox, key: str, status: int
) -> None:
    missing = {"method": "POST", "path": "/api/show", "status": 404, "json": {"error": "not found"}, "times": 1}
    failed = {"method": "POST", "path": "/api/pull", "ndjson": [{"error": "pull model manifest: file does not exist"}]}
    with routed_server([missing, failed, *generating({"response": "from the cloud"}, LAST)]) as server:
        child = pexpect.spawn(
            COMMAND, ["run", "gpt-oss:120b", "hi"], env=signed_in.environment | {"OLLAMA_HOST": server.url}, timeout=30
        )
        child.expect("Run gpt-oss:120b-cloud, in the cloud")
        child.sendline(key)
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == status
    assert (b"from the cloud" in (child.before or b"")) == (status == 0)


def test_what_is_offered_to_a_person_holds_no_markup_and_no_control_sequence(cli: Cli) -> None:
    unknown = {"error": "none \x1b]0;title\x07 here [/b]"}
    missing = {"method": "POST", "path": "/api/show", "status": 404, "json": unknown, "times": 1}
    failed = {"method": "POST", "path": "/api/pull", "status": 404, "json": unknown}
    with routed_server([missing, failed, SHOW]) as server:
        environment = cli.environment | {"OLLAMA_HOST": server.url, "TERM": "dumb"}
        child = pexpect.spawn(COMMAND, ["run", "tiny", "hi"], env=environment, timeout=30)
        child.expect_exact("Run tiny:cloud, in the cloud?")
        said = child.before or b""
        child.sendline("n")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 3
    assert b"none  here [/b]" in said
    assert b"\x1b" not in said


def test_a_model_s_name_that_is_no_utf_8(cli: Cli) -> None:
    with routed_server([{"method": "POST", "path": "/api/pull", "status": 404, "json": {"error": "none"}}]) as server:
        done = cli("run", os.fsdecode(b"a\xff"), "hi", env={"OLLAMA_HOST": server.url})
    assert done.returncode == 3, done.stderr


def test_a_request_that_the_cloud_refuses_is_told_also_where_it_tells_nothing_of_the_model(cli: Cli) -> None:
    refused = {"method": "POST", "path": "/api/generate", "status": 400, "json": {"error": "invalid format"}}
    with routed_server([refused]) as server:
        done = cli("run", MODEL, "hi", env={"OLLAMA_CLOUD_BASE_URL": server.url, "OLLAMA_API_KEY": "k"})
    assert done.returncode == 2
    assert "invalid format" in done.stderr


def test_stdin_that_is_no_text_is_sent_as_far_as_it_is(signed_in: Cli, sandbox: Sandbox) -> None:
    done = signed_in("run", MODEL, "what is this", stdin=b"\xff\xfe\x00 caf\xc3\xa9")
    assert done.returncode == 0, done.stderr


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_question_without_options_loads_no_more_than_it_needs(signed_in: Cli) -> None:
    code = "import sys; from ollama_cli.main import main; sys.stderr.write(f'{main(sys.argv[1:])} {[*sys.modules]}')"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", MODEL, "Is 1.5 more than 1?"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=signed_in.environment,
        text=True,
        check=True,
    )
    status, loaded = done.stderr.split(" ", 1)
    assert (status, "“Is 1.5 more than 1?”" in done.stdout) == ("0", True)
    modules = set(ast.literal_eval(loaded))
    assert modules >= {"httpx", "cryptography"}
    assert not modules & {"typer", "dataclasses", "httpcore", "keyring", "rich", "prompt_toolkit", "subprocess"}
