"""What a thousand profiles cost: ``python bench/profiles.py``, or ``python bench/profiles.py 50`` for more rounds.

``status`` is started with one profile and with a thousand, in turn with a bare interpreter: signed out, which asks no
server, and signed in at a sandbox on loopback. What is told is the CPU time of the process, which the machine's load
changes less than the time that goes by. Compare the two of a pair.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from startup import BARE, COMMAND, Case, clean_environment, compile_the_program, measure, running_sandbox, show, sign_in

from ollama_cli import DeviceKey
from ollama_cli.credentials.listing import KeyRecord, parse_listing, text_of_listing

ROUNDS = 20
PROFILES = 1000


def add_profiles(home: Path, count: int) -> None:
    """Have profiles listed beside what a home keeps; each has a device key."""
    path = home / "data" / "credentials.json"
    listing = parse_listing(path.read_bytes() if path.exists() else b'{"version": 1, "credentials": []}')
    made = tuple(
        KeyRecord(f"profile-{number}", "https://ollama.com", "file", DeviceKey.generate().public_key, 1_763_883_600)
        for number in range(count)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of_listing(listing._replace(records=(*made, *listing.records))), encoding="utf-8")


def cpu_seconds(case: Case) -> float:
    """Start a case once; the seconds of CPU that its process took."""
    process = subprocess.Popen(
        case.arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment() | dict(case.environment),
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == case.status, case.name
    return usage.ru_utime + usage.ru_stime


def main(rounds: int) -> None:
    """Measure and print."""
    compile_the_program()
    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder)) as base_url:
        cases = [Case(BARE, [sys.executable, "-c", "pass"])]
        for name, status in (("signed out", 4), ("signed in", 0)):
            one = Path(folder, name)
            environment = {"HOME": folder, "OLLAMA_CLI_HOME": str(one), "OLLAMA_CLOUD_BASE_URL": base_url}
            if name == "signed in":
                sign_in(environment, base_url)
            add_profiles(one, 1)
            many = Path(folder, f"{name}, many")
            shutil.copytree(one, many)
            add_profiles(many, PROFILES - 1)
            for count, home in ((1, one), (PROFILES, many)):
                told = f"status ({name}), {count} profile{'s' if count > 1 else ''}"
                cases.append(
                    Case(told, [COMMAND, "status"], environment | {"OLLAMA_CLI_HOME": str(home)}, status=status)
                )
        measure(cases, rounds, cpu_seconds)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {rounds} rounds, interleaved; CPU time")
    show(cases)
    for one_case, many_case in zip(cases[1::2], cases[2::2], strict=True):
        least = min(many_case.seconds) / min(one_case.seconds)
        middle = statistics.median(many_case.seconds) / statistics.median(one_case.seconds)
        print(f"{many_case.name}: {least:.2f} times one profile's smallest time, {middle:.2f} times its median")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
