"""What grows with what is kept: ``python bench/growth.py``, or ``python bench/growth.py 50`` for more rounds.

``--version`` and a one-shot ``run`` are started in a home with nothing but a key, and in one with 10,000 kept chats and
1,000 profiles, in turn. What is told is the CPU time of the process, which the machine's load changes less than the
time that goes by. Compare the two of a pair.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from profiles import PROFILES, add_profiles, cpu_seconds
from startup import COMMAND, MODEL, Case, compile_the_program, measure, running_sandbox, sign_in

from ollama_cli.chat.kept.archive import Archive
from ollama_cli.chat.kept.writing import KeptChat
from ollama_cli.chat.messages import Message
from ollama_cli.chat.session import Session

ROUNDS = 20
CHATS = 10_000
_MORE_CHATS = """
    WITH RECURSIVE copy(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number < ?)
    INSERT INTO chats (title, model, settings, created_at, changed_at, revision)
    SELECT title, model, settings, created_at, changed_at, revision + number FROM chats, copy
"""
_THEIR_MESSAGES = """
    INSERT INTO messages SELECT chats.id, position, role, content, rest FROM messages, chats WHERE chats.id > 1
"""


def add_chats(home: Path, count: int) -> None:
    """Keep one chat, and copies of it: as many rows as if each had been held."""
    archive = Archive(home / "data" / "chats.sqlite3")
    said = [Message("user", "Why is the sky blue?"), Message("assistant", "Because of scattering. " * 40)]
    KeptChat(archive, MODEL, print).keep(Session(MODEL, messages=said))
    with archive.database.writing() as connection:
        connection.execute(_MORE_CHATS, (count - 1,))
        connection.execute(_THEIR_MESSAGES)


def main(rounds: int) -> None:
    """Measure and print."""
    compile_the_program()
    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder)) as base_url:
        little, much = Path(folder, "little"), Path(folder, "much")
        environment = {"HOME": folder, "OLLAMA_CLI_HOME": str(little), "OLLAMA_CLOUD_BASE_URL": base_url}
        sign_in(environment, base_url)
        Case("notes when the key was used", [COMMAND, "run", MODEL, "hi"], environment).time()
        shutil.copytree(little, much)
        add_profiles(much, PROFILES)
        add_chats(much, CHATS)
        cases = [
            Case(name, [COMMAND, *arguments], environment | {"OLLAMA_CLI_HOME": str(home)})
            for name, arguments in (("--version", ["--version"]), ("run", ["run", MODEL, "hi"]))
            for home in (little, much)
        ]
        measure(cases, rounds, cpu_seconds)
    print(f"Python {sys.version.split()[0]}, {rounds} rounds, interleaved; CPU time in milliseconds")
    print(f"{'command':<12} {'with little':>12} {'with much':>10} {'ratio of minima':>16} {'of medians':>11}")
    for few, many in zip(cases[::2], cases[1::2], strict=True):
        least, most = min(few.seconds), min(many.seconds)
        middle = statistics.median(many.seconds) / statistics.median(few.seconds)
        print(f"{few.name:<12} {least * 1e3:>12.1f} {most * 1e3:>10.1f} {most / least:>16.2f} {middle:>11.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
