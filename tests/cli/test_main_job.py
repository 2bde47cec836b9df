"""From nothing to an answer, through the installed command and over real sockets."""

from __future__ import annotations

import json
import re
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from chatting import leave
from conftest import sign_in
from support import NO_TLS, Cli, Sandbox, hidden_fields, start_sandbox
from terminals import Terminal

MODEL = "gpt-oss:120b-cloud"
LINK = re.compile(r"^http://127\.0\.0\.1:\d+/connect\?name=[^&\s]+&key=[\w-]+$", re.MULTILINE)


def test_one_command_signs_in_to_a_sandbox_of_its_own_and_answers(cli: Cli) -> None:
    done = cli("--sandbox", "run", MODEL, "Why is the sky blue?")
    assert done.returncode == 0, done.stderr
    assert "Rayleigh" in done.stdout
    assert "sandbox approves" in done.stderr


def test_the_sandbox_remembers_its_device(cli: Cli) -> None:
    cli("--sandbox", "signin")
    assert cli("--sandbox", "status", "--quiet").returncode == 0
    assert cli("--sandbox", "keys", "revoke", "--yes").returncode == 0
    assert cli("--sandbox", "status", "--quiet").returncode == 4


def test_what_is_advised_in_the_sandbox_stays_there(cli: Cli) -> None:
    done = cli("--sandbox", "status")
    assert done.returncode == 4
    assert "`ollama-cli --sandbox signin`" in done.stderr


def test_sandbox_ignores_every_other_credential_and_host(cli: Cli) -> None:
    environment = {"OLLAMA_API_KEY": "wrong", "OLLAMA_HOST": "http://127.0.0.1:1", "OLLAMA_NO_CLOUD": "1"}
    assert cli("--sandbox", "run", MODEL, "hi", env=environment).returncode == 0


def test_sandbox_attaches_to_a_running_one(cli: Cli, tmp_path: Path) -> None:
    running, process = start_sandbox(tmp_path)
    with process:
        refused = cli("--sandbox", "run", MODEL, "hi")
        assert refused.returncode == 4
        link = LINK.search(refused.stderr)
        assert link is not None
        assert link[0].startswith(running.url)
        terminal = Terminal(cli, "--sandbox", "run", MODEL)
        terminal.until_text(r"Sign in now\?")
        terminal.type("n\r")
        terminal.until_text("`ollama-cli --sandbox signin`")
        assert leave(terminal) == 4
        running.decide(link[0])
        assert cli("--sandbox", "run", MODEL, "hi").returncode == 0
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    assert cli("--sandbox", "status", "--quiet").returncode == 0  # the account outlives the server


def test_a_script_is_told_where_the_sandbox_listens(cli: Cli) -> None:
    with cli.start("sandbox", "--port", "0", "--json") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with httpx.Client(base_url=told["url"], trust_env=False) as client:
            assert client.get("/api/version").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10) == ("", f"{told['url']}\n")


def test_signin_stores_a_key_and_shows_the_same_link_twice(device: Cli) -> None:
    first = device("--insecure-storage", "signin", "--no-wait")
    second = device("--insecure-storage", "signin", "--no-wait")
    assert first.returncode == second.returncode == 4
    assert LINK.fullmatch(first.stdout.strip())
    assert first.stdout == second.stdout


def test_a_key_file_is_readable_by_its_owner_alone(device: Cli) -> None:
    device("--insecure-storage", "signin", "--no-wait")
    files = [path for path in (device.home / "state" / "data").rglob("*") if path.is_file()]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in files} == {0o700}


def test_signin_waits_for_the_person_and_says_who_signed_in(device: Cli, sandbox: Sandbox) -> None:
    process = device.start("--insecure-storage", "signin", "--timeout", "50")
    assert process.stdout is not None
    sandbox.decide(process.stdout.readline().strip())
    _, stderr = process.communicate(timeout=50)
    assert process.returncode == 0
    assert "Signed in as sandbox." in stderr


def test_a_denied_device_is_not_signed_in(device: Cli, sandbox: Sandbox) -> None:
    link = device("--insecure-storage", "signin", "--no-wait").stdout.strip()
    assert sandbox.decide(link, "deny").status_code == 200
    assert device("status", "--quiet").returncode == 4


def test_signin_times_out_with_status_4(device: Cli) -> None:
    done = device("--insecure-storage", "signin", "--timeout", "0.1")
    assert done.returncode == 4
    assert "in time" in done.stderr


def test_signed_in_already_is_a_success(signed_in: Cli) -> None:
    done = signed_in("signin", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["account"] == "sandbox"


def test_status_tells_account_credential_and_store(signed_in: Cli, sandbox: Sandbox) -> None:
    told = json.loads(signed_in("status", "--json").stdout)
    assert told["signed_in"] is True
    assert told["place"] == sandbox.url
    assert told["plan"] == "free"
    assert told["fingerprint"].startswith("SHA256:")
    assert "not encrypted" in told["source"]


def test_a_cloud_model_costs_one_request(signed_in: Cli, sandbox: Sandbox) -> None:
    before = len(sandbox.requests())
    done = signed_in("run", MODEL, "Why", "is", "the", "sky", "blue?")
    assert done.returncode == 0
    sent = sandbox.requests()[before:]
    assert [(request["method"], request["target"].partition("?")[0]) for request in sent] == [("POST", "/api/generate")]
    assert sent[0]["body"] == {"model": "gpt-oss:120b", "prompt": "Why is the sky blue?"}


def test_nothing_but_the_answer_reaches_a_pipe(signed_in: Cli) -> None:
    done = signed_in("run", MODEL, "hi")
    assert "\x1b" not in done.stdout
    assert "hinking" not in done.stdout
    assert done.stdout.endswith("\n")
    assert done.stderr == ""


def test_piped_text_stands_before_the_prompt(signed_in: Cli, sandbox: Sandbox) -> None:
    assert signed_in("run", MODEL, "translate:", stdin="bonjour\n").returncode == 0
    assert sandbox.requests()[-1]["body"]["prompt"] == "bonjour\n translate:"


def test_signout_tells_the_server_and_forgets_the_key(signed_in: Cli) -> None:
    done = signed_in("signout")
    assert done.returncode == 0
    assert "off your account" in done.stderr
    again = signed_in("signout")
    assert again.returncode == 0
    assert "already" in again.stderr


def test_after_signout_a_run_is_refused_with_a_fresh_link(signed_in: Cli) -> None:
    old = json.loads(signed_in("status", "--json").stdout)["fingerprint"]
    signed_in("signout")
    done = signed_in("--insecure-storage", "run", MODEL, "hi")
    assert done.returncode == 4
    assert done.stdout == ""
    assert LINK.search(done.stderr)
    assert json.loads(signed_in("status", "--json").stdout)["fingerprint"] != old


def test_signout_offline_keeps_the_key(signed_in: Cli) -> None:
    fingerprint = json.loads(signed_in("status", "--json").stdout)["fingerprint"]
    index = signed_in.home / "state" / "data" / "credentials.json"
    listed = json.loads(index.read_text())["credentials"]
    dead = "http://127.0.0.1:9"
    index.write_text(json.dumps({"version": 1, "credentials": [{**listed[0], "origin": dead}]}))
    keys = signed_in.home / "state" / "data" / "keys"
    stored = next(keys.iterdir())
    stored.rename(keys / "default@http%3A%2F%2F127.0.0.1%3A9")
    done = signed_in("signout", env={"OLLAMA_CLOUD_BASE_URL": dead})
    assert done.returncode == 7
    assert json.loads(index.read_text())["credentials"][0]["public_key"] == listed[0]["public_key"]
    assert len(list(keys.iterdir())) == 1
    assert fingerprint


@pytest.mark.parametrize("environment", [{}, {"OLLAMA_NO_CLOUD": "1"}], ids=["as usual", "no cloud"])
def test_signout_local_only_asks_no_server(signed_in: Cli, sandbox: Sandbox, environment: dict[str, str]) -> None:
    before = len(sandbox.requests())
    assert signed_in("signout", "--local-only", env=environment).returncode == 0
    assert len(sandbox.requests()) == before
    assert signed_in("status", "--quiet").returncode == 4


def test_revoke_takes_this_device_off(signed_in: Cli) -> None:
    done = signed_in("keys", "revoke", "--yes", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["keys"][0]["outcome"] == "taken_off"
    assert signed_in("status", "--quiet").returncode == 4


def test_revoke_does_not_go_on_without_a_yes(signed_in: Cli) -> None:
    assert signed_in("keys", "revoke").returncode == 2
    assert signed_in("status", "--quiet").returncode == 0


def test_an_api_key_needs_no_keyring(device: Cli, sandbox: Sandbox) -> None:
    key = make_api_key(sandbox)
    done = device("run", MODEL, "hi", env={"OLLAMA_API_KEY": key})
    assert done.returncode == 0, done.stderr
    assert sandbox.requests()[-1]["target"] == "/api/generate"  # no ts
    assert not (device.home / "state" / "data" / "keys").exists()


def test_a_refused_api_key_leads_to_its_page(device: Cli) -> None:
    done = device("run", MODEL, "hi", env={"OLLAMA_API_KEY": "no-such-key"})
    assert done.returncode == 4
    assert "https://ollama.com/settings/keys" in done.stderr
    assert "no-such-key" not in done.stderr


def test_a_key_file_and_a_key_in_the_environment_sign(device: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    from ollama_cli import DeviceKey

    key = DeviceKey.generate()
    path = tmp_path / "key"
    path.write_text(key.to_openssh().reveal())
    refused = device("--key-file", str(path), "run", MODEL, "hi")
    assert refused.returncode == 4
    link = LINK.search(refused.stderr)
    assert link is not None
    sandbox.decide(link[0])
    assert device("--key-file", str(path), "run", MODEL, "hi").returncode == 0
    assert device("run", MODEL, "hi", env={"OLLAMA_CLI_KEY": path.read_text()}).returncode == 0


def make_api_key(sandbox: Sandbox) -> str:
    with httpx.Client(trust_env=False, verify=NO_TLS, base_url=sandbox.url) as browser:
        page = browser.get("/settings/keys").text
        form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "make" in form.lower())
        shown = browser.post("/settings/keys", data={**hidden_fields(form), "name": "test"})
    found = re.search(r"<code[^>]*>([\w.-]{20,})</code>", shown.text)
    assert found is not None, shown.text
    return found[1]


# Exit statuses, each reached by a real process.


def test_status_0_done(cli: Cli) -> None:
    done = cli("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"ollama-cli \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize(
    "host", ["http://ollama.com", "OLLAMA.COM", "https://ollama.com:8443", "http://Ollama.com:443"]
)
def test_status_1_refused_for_safety(cli: Cli, host: str) -> None:
    done = cli("run", MODEL, "hi", env={"OLLAMA_HOST": host})
    assert done.returncode == 1
    assert "nothing is sent" in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["frobnicate"],
        ["run"],
        ["run", "tiny", "--frob"],
        ["run", MODEL],
        ["run", "a:local:cloud", "hi"],
        ["run", ":cloud", "hi"],
    ],
)
def test_status_2_usage(cli: Cli, args: list[str]) -> None:
    done = cli(*args)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert done.stdout == ""


def test_a_host_name_that_no_server_has_is_a_mistake(cli: Cli) -> None:
    done = cli("run", "tiny", "hi", env={"OLLAMA_HOST": "http://a²b"})
    assert done.returncode == 2
    assert "a²b" in done.stderr


def test_status_3_no_such_model(signed_in: Cli) -> None:
    assert signed_in("run", "nonsense:cloud", "hi").returncode == 3


def test_status_4_as_json(device: Cli) -> None:
    done = device("--insecure-storage", "signin", "--no-wait", "--json")
    assert done.returncode == 4
    link = json.loads(done.stdout)["signin_url"]
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert error["signin_url"] == link
    assert error["status"] == 4
    quiet = device("status", "--quiet", "--json")
    assert (quiet.returncode, quiet.stdout) == (4, "")
    assert json.loads(quiet.stderr)["error"]["code"] == "signin_required"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("/api/generate=status:403", 5),
        ("/api/generate=status:429", 6),
        ("/api/generate=status:500", 7),
        ("/api/generate=status:503+retry-after:0", 7),
        ("/api/generate=cut:2", 8),
        ("/api/generate=end:2", 8),
        ("/api/generate=error:2", 8),
        ("/api/generate=garbage:2", 8),
    ],
)
def test_a_server_fault_has_its_status(tmp_path: Path, start: Callable[..., Sandbox], fault: str, status: int) -> None:
    faulty = start(fault)
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": faulty.url})
    sign_in(device, faulty)
    done = device("run", MODEL, "hi")
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_status_7_nothing_answers(cli: Cli) -> None:
    done = cli("--insecure-storage", "signin", "--no-wait", env={"OLLAMA_CLOUD_BASE_URL": "http://127.0.0.1:9"})
    assert done.returncode == 7


def test_status_7_no_daemon_names_the_cloud_twin(cli: Cli) -> None:
    done = cli("run", "tiny", "hi", env={"OLLAMA_HOST": "http://127.0.0.1:9"})
    assert done.returncode == 7
    assert "tiny:cloud" in done.stderr


@pytest.mark.forked
@pytest.mark.parametrize(
    ("command", "way"),
    [
        ("run tiny hi", "ask the cloud: `ollama-cli run tiny:cloud --cloud`"),
        ("run tiny:8b-cloud hi", "ask the cloud: `ollama-cli run tiny:8b-cloud --cloud`"),
        ("show tiny", "ask the cloud: `ollama-cli show tiny:cloud --cloud`"),
        ("list", "see ollama.com's: `ollama-cli list --cloud`"),
        ("search sky", "ask ollama.com with --cloud."),
        ("pull tiny:cloud", "run it at ollama.com without pulling it: `ollama-cli run tiny:cloud --cloud`"),
        ("run hf.co/ada/tiny hi", None),
    ],
)
def test_what_can_be_done_without_the_named_daemon_is_at_ollama_com(cli: Cli, command: str, way: str | None) -> None:
    """What is said to be typed does not go to the daemon again, nor to what is switched off or has no such model."""
    named = {"OLLAMA_HOST": "http://127.0.0.1:9"}
    for environment, instead in ((named, way), (named | {"OLLAMA_NO_CLOUD": "1"}, None)):
        done = cli(*command.split(), env=environment)
        assert done.returncode == 7
        assert done.stderr == (
            "Error: No Ollama server answers at http://127.0.0.1:9.\n"
            f"  Start one with `ollama serve`{f', or {instead}' if instead else '.'}\n"
        )


def test_status_9_no_keyring_names_the_ways_out(device: Cli) -> None:
    done = device("signin", "--no-wait")
    assert done.returncode == 9
    assert "--insecure-storage" in done.stderr
    assert "OLLAMA_API_KEY" in done.stderr
    assert not (device.home / "state" / "data" / "keys").exists()


def test_status_130_ctrl_c_in_an_answer(tmp_path: Path, start: Callable[..., Sandbox]) -> None:
    stalled = start("/api/generate=stall:2")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": stalled.url})
    sign_in(device, stalled)
    process = device.start("run", "qwen3-coder:480b-cloud", "hi")
    assert process.stdout is not None
    assert process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_status_141_when_the_reader_goes_away(tmp_path: Path, start: Callable[..., Sandbox]) -> None:
    slow = start("/api/generate=delay:0.5")
    device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": slow.url})
    sign_in(device, slow)
    with device.start("run", MODEL, "hi") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(timeout=20) == 141


def test_no_cloud_stops_before_any_request(signed_in: Cli, sandbox: Sandbox) -> None:
    before = len(sandbox.requests())
    assert signed_in("run", MODEL, "hi", env={"OLLAMA_NO_CLOUD": "1"}).returncode == 5
    assert len(sandbox.requests()) == before


def test_a_daemon_gets_neither_signature_nor_key(device: Cli, sandbox: Sandbox) -> None:
    done = device("run", "gpt-oss:20b", "hi", env={"OLLAMA_HOST": sandbox.url, "OLLAMA_API_KEY": "secret-key"})
    assert done.returncode == 4  # the sandbox is no daemon: it wants a credential
    sent = sandbox.requests()[-1]
    assert sent["target"] == "/api/show"
    assert sent["headers"].get("authorization") is None
