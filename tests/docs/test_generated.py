"""What is generated from the program and committed is what the program prints today."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from documentation import PAGES, ROOT, spans

from ollama_cli import errors
from ollama_cli.diagnosis.finding import NAMES, Verdict
from ollama_cli.errors import CliError
from ollama_cli.sandbox import faults
from ollama_cli.sandbox.faults import parse_fault
from ollama_cli.sandbox.models import MODELS

SESSIONS = [picture.stem for picture in sorted((ROOT / "docs" / "pictures").glob("*.svg"))]
SESSIONS.remove("performance")  # bench/report.py measures it
TREES = ["ollama_cli", "tests", "docs", "bench", "completions"]
SCRIPTS = ["docs/make_help.py", "docs/make_third_party.py", "completions/make.py"]


@pytest.mark.parametrize("made", [*SCRIPTS, *(f"docs/make_pictures.py {name}" for name in SESSIONS)])
def test_what_is_generated_is_current(made: str) -> None:
    script, *names = made.split()
    done = subprocess.run(
        [sys.executable, ROOT / script, "--check", *names],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_table_of_statuses_holds_every_error() -> None:
    table = (ROOT / "docs" / "statuses.md").read_text(encoding="utf-8")
    told = {int(status): rest for status, rest in re.findall(r"^\| (\d+) \|(.*)$", table, re.MULTILINE)}
    classes: list[type[CliError]] = [CliError, *CliError.__subclasses__()]
    assert set(told) == {0, errors.INTERRUPTED, errors.CLOSED_PIPE, *(error.status for error in classes)}
    for error in classes:
        assert f"`{error.default_code}`" in told[error.status], error


def test_every_code_of_an_error_is_told() -> None:
    told = (ROOT / "docs" / "statuses.md").read_text(encoding="utf-8")
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "ollama_cli").rglob("*.py")]
    codes = {code for source in sources for code in re.findall(r"\bcode=\"(\w+)\"", source)}
    assert {code for code in codes if f"`{code}`" not in told} == set()


def test_the_page_for_scripts_tells_every_status() -> None:
    page = (ROOT / "docs" / "scripting.md").read_text(encoding="utf-8")
    statuses = {error.status for error in CliError.__subclasses__()} | {0, 1, errors.INTERRUPTED, errors.CLOSED_PIPE}
    assert {int(status) for status in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == statuses


def test_the_modules_that_pages_name_exist() -> None:
    """Whole, from the root, or by the end of their path."""
    modules = [f"/{path.relative_to(ROOT)}" for top in TREES for path in sorted((ROOT / top).rglob("*.py"))]
    named = {span for page in PAGES for span in spans(page) if re.fullmatch(r"[\w/]+\.py", span)}
    assert len(named) > 100
    assert {name for name in named if not any(module.endswith(f"/{name}") for module in modules)} == set()


def test_the_page_about_the_sandbox_tells_its_faults_and_models() -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    kinds = set(re.findall(r"^``([a-z-]+)", str(faults.__doc__), re.MULTILINE))
    assert len(kinds) > 10
    assert {kind for kind in kinds if f"| `{kind}" not in page} == set()
    assert {model.name for model in MODELS if f"| `{model.name}` |" not in page} == set()


def test_the_page_about_doctor_tells_its_checks_and_verdicts() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert {name for check, name in NAMES.items() if f"| {name} |" not in page or f"`{check}`" not in page} == set()
    assert {verdict for verdict in Verdict if f"| `{verdict.value.replace('_', ' ')}` |" not in page} == set()


def test_faults_that_pages_show_can_be_given() -> None:
    shown = [fault for page in PAGES for fault in re.findall(r"--fault '([^']+)'", page.read_text(encoding="utf-8"))]
    assert len(shown) > 5
    for fault in shown:
        parse_fault(fault)
