"""What the keyring's share of a command is: ``python bench/keyrings.py``, or ``python bench/keyrings.py 50``.

``run`` is started with its key in a file and with its key in a real Secret Service (gnome-keyring, on a D-Bus of its
own), in turn, against a sandbox on loopback, up to the first token.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from startup import BARE, COMMAND, MODEL, Case, compile_the_program, measure, running_sandbox, show, sign_in

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the tests' keyring: gnome-keyring, started for a moment
from stores.secret_service import secret_service

ROUNDS = 20


def main(rounds: int) -> None:
    """Measure and print."""
    compile_the_program()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox(Path(folder)) as base_url,
        secret_service(Path(folder, "keyring")) as service,
    ):
        cases = [Case(BARE, [sys.executable, "-c", "pass"])]
        for name, options in (("a file", ["--insecure-storage"]), ("the keyring", [])):
            environment = {
                "HOME": folder,
                "OLLAMA_CLI_HOME": str(Path(folder, name)),
                "OLLAMA_CLOUD_BASE_URL": base_url,
                "DBUS_SESSION_BUS_ADDRESS": service.address,
            }
            sign_in(environment, base_url, options)
            cases.append(Case(f"run, key in {name}", [COMMAND, "run", MODEL, "hi"], environment, first_byte=True))
        measure(cases, rounds)
    print(f"Python {sys.version.split()[0]}, {rounds} rounds, interleaved")
    show(cases)
    file, keyring = (min(case.seconds) for case in cases[1:])
    print(f"the keyring's share: {(keyring - file) * 1e3:.1f} ms of {keyring * 1e3:.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
