"""What docs/serve.md has a person put into files is right, and runs."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from scripted_server import scripted_server
from serve_process import serve_process
from support import COMMAND, Cli, make_device

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The one block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    program = tmp_path / ".local" / "bin" / "ollama-cli"
    program.parent.mkdir(parents=True)
    program.symlink_to(COMMAND)
    (tmp_path / "run").mkdir(mode=0o700)
    unit = tmp_path / "ollama-cli-serve.service"
    unit.write_text(block("ini"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_command_runs(tmp_path: Path) -> None:
    line = re.search(r"^ExecStart=(.+)$", block("ini"), re.MULTILINE)
    assert line is not None
    program, command, *options = shlex.split(line[1].replace("%h", str(tmp_path)))
    assert (Path(program).name, command) == ("ollama-cli", "serve")
    with scripted_server() as cloud:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": cloud.url})
        make_device(device, cloud.url)
        with serve_process(device, *options) as serve, serve.client() as client:
            assert client.get("/").text == "Ollama is running"


def test_the_containers_command_runs(tmp_path: Path) -> None:
    line = re.search(r"^CMD (\[.+\])$", block("dockerfile"), re.MULTILINE)
    assert line is not None
    command, *options = re.findall(r'"([^"]+)"', line[1])
    assert command == "serve"
    token = "a-token-that-nobody-guesses"
    with scripted_server() as cloud:
        device = Cli(tmp_path, {"OLLAMA_CLOUD_BASE_URL": cloud.url, "OLLAMA_CLI_SERVE_TOKEN": token})
        device.environment["OLLAMA_API_KEY"] = "key"
        with serve_process(device, *options) as serve, serve.client() as client:
            assert client.get("/").status_code == 401
            assert client.get("/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
