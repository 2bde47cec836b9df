"""The measurements run; what they measure is no test's business."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


def measured(script: str, *arguments: str) -> str:
    """What a measurement prints."""
    command = [sys.executable, str(BENCH / script), *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_start_up_is_measured_against_a_bare_interpreter() -> None:
    table = measured("startup.py", "1")
    ratios = re.findall(r"^(\S.*?\S) +[\d.]+ +[\d.]+ +([\d.]+) +[\d.]+$", table, re.MULTILINE)
    assert ratios[0][0] == "python -c pass"
    assert len(ratios) >= 7  # and the peers that are there
    assert float(ratios[0][1]) == 1.0


def test_imports_are_counted_by_package() -> None:
    assert re.search(r"^typer +[\d.]+ +\d+$", measured("imports.py", "--help"), re.MULTILINE)


def test_markdown_is_measured_beside_plain_text() -> None:
    table = measured("markdown.py", "1", "1")
    assert len(re.findall(r"^(an|one) [a-z ]+( +[\d.]+){3} +[\d.]+ x +[\d.]+ x$", table, re.MULTILINE)) == 5


def test_a_first_token_from_afar_is_measured_beside_a_bare_request() -> None:
    table = measured("first_token.py", "1", "5")
    assert re.search(r"^ollama-cli run( +[\d.]+){4}$", table, re.MULTILINE)


def test_a_long_answer_is_measured() -> None:
    table = measured("stream.py", "1", "200")
    assert len(re.findall(r"^(?:ollama-cli run|the same, 20 times as many)( +[\d.]+){5}$", table, re.MULTILINE)) == 2


def test_streams_through_serve_are_measured_beside_those_that_go_directly() -> None:
    table = measured("serve.py", "1", "5", "20")
    assert re.search(r"^directly +\d+( +[\d.]+){2}$", table, re.MULTILINE)
    assert re.search(r"^ollama-cli serve +\d+( +-?[\d.]+){6}$", table, re.MULTILINE)


@pytest.mark.skipif(
    not shutil.which("docker-registry") or not shutil.which("curl"), reason="what is measured is missing"
)
def test_pull_and_push_are_measured_beside_curl() -> None:
    table = measured("registry.py", "1", "5")
    assert len(re.findall(r"^(?:curl|ollama-cli pu)[^\n]*?( +[\d.]+){3}$", table, re.MULTILINE)) == 5


def test_many_profiles_are_measured_beside_one() -> None:
    table = measured("profiles.py", "1")
    assert len(re.findall(r"^status \(signed (?:in|out)\), 1000 profiles: [\d.]+ times", table, re.MULTILINE)) == 2


def test_what_grows_with_what_is_kept_is_measured() -> None:
    assert len(re.findall(r"^(?:--version|run)( +[\d.]+){4}$", measured("growth.py", "1"), re.MULTILINE)) == 2


def test_the_keyring_s_share_is_measured() -> None:
    assert re.search(r"^the keyring's share: -?[\d.]+ ms of [\d.]+ ms$", measured("keyrings.py", "1"), re.MULTILINE)
