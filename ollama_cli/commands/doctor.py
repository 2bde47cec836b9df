"""``doctor``: checks everything that a command needs, and says what to do."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from ollama_cli.commands.command_line import Command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollama_cli.context import Context
    from ollama_cli.diagnosis.finding import Finding
    from ollama_cli.diagnosis.side_by_side import Show


@dataclass(frozen=True)
class DoctorOptions:
    """What the command line of ``doctor`` says.

    Attributes:
        as_json: Whether to print JSON.
        cloud: Whether to check the way to ollama.com whatever OLLAMA_HOST says.
    """

    as_json: bool = False
    cloud: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", cls=Command)(doctor)


def doctor(
    typer_context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    cloud: Annotated[bool, typer.Option("--cloud", help="Check ollama.com, whatever OLLAMA_HOST says.")] = False,
) -> None:
    """Check everything that a command needs, and say what to do.

    That is keyring, clock, network, proxy, TLS, credential, account, Ollama server and an installed Ollama's key.
    Nothing is changed, and no key is made. Ends with status 0 when no check finds a fault, else with that of the first
    fault in the list.
    """
    run(typer_context.obj, DoctorOptions(as_json, cloud))


def run(context: Context, options: DoctorOptions) -> None:
    """Make the checks, and print what they found.

    Raises:
        CliError: With ``--json``, the first fault.
    """
    from ollama_cli.diagnosis.examination import Examination
    from ollama_cli.diagnosis.finding import first_fault

    new_store = "file" if context.options.insecure_storage or context.options.sandbox else "keyring"
    session = context.unattended()
    attended = context if context.streams.interactive else None
    with _progress(context) as show:
        examination = Examination(session, attended, cloud=options.cloud, new_store=new_store, show=show)
        findings = [_to_be_typed(context, finding, options) for finding in examination.findings()]
    error = first_fault(findings)
    if options.as_json:
        status = error.status if error else 0
        checks = [finding.as_json() for finding in findings]
        context.streams.answer(json.dumps({"well": error is None, "status": status, "checks": checks}))
        if error is not None:
            raise error
        return
    _show(context, findings)
    if error is not None:
        raise typer.Exit(error.status)


def _to_be_typed(context: Context, finding: Finding, options: DoctorOptions) -> Finding:
    return replace(finding, hint=finding.hint and context.to_be_typed(finding.hint, at_ollama_com=options.cloud))


def _show(context: Context, findings: Sequence[Finding]) -> None:
    from ollama_cli.diagnosis.finding import NAMES
    from ollama_cli.terminal.findings import Line, show_findings

    lines = [
        Line(
            finding.verdict.value.replace("_", " "),
            NAMES[finding.check],
            finding.message,
            finding.hint,
            finding.error.signin_url if finding.error else None,
        )
        for finding in findings
    ]
    show_findings(context.streams, lines)


@contextmanager
def _progress(context: Context) -> Iterator[Show]:
    """Shows at a terminal which checks are still being made; with --debug the requests are shown instead."""
    from ollama_cli.terminal.waiting import pausing_spinner

    if context.options.debug:
        yield lambda _: None
        return
    with pausing_spinner(context.streams) as show:
        yield lambda names: show(f"Checking {', '.join(names)}…" if names else None)
