"""Pull and push without a server, beside curl, from and to the same ``docker-registry`` on loopback.

``python bench/registry.py [ROUNDS] [MEGABYTES]``; needs ``docker-registry`` and ``curl``. curl loads or sends one blob
and does nothing else; the command checks digests too, and has the disk hold what it loaded.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from docker_registry import docker_registry
from models_on_disk import cheap_bytes, digest_of, put_model
from support import clean_environment

COMMAND = str(Path(sysconfig.get_path("scripts")) / "ollama-cli")
MEASURED = str(Path(__file__).with_name("measured.py"))
CURL = shutil.which("curl") or "curl"


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds from start to end, and seconds of CPU."""
    done = subprocess.run(
        [sys.executable, MEASURED, *command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["status"] == 0, done.stderr.decode()
    return told["seconds"], told["cpu"]


def main(rounds: int, megabytes: int) -> None:
    content = cheap_bytes(megabytes * 1_000_000)
    digest = digest_of(content)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = clean_environment(home)
        store = home / ".ollama/models"
        blob = store / "blobs" / digest.replace(":", "-")
        (home / "registry").mkdir()
        with docker_registry(home / "registry") as docker:
            base = f"http://{docker.host}/v2/me"
            names = iter(range(10_000))

            def curl_push() -> list[str]:
                begun = urllib.request.Request(f"{base}/c{next(names)}/blobs/uploads/", method="POST")  # noqa: S310
                with urllib.request.urlopen(begun) as answer:  # noqa: S310 - loopback
                    place = answer.headers["Location"]
                return [CURL, "-sf", "-T", str(blob), f"{place}&digest={digest}"]

            def push() -> list[str]:
                name = f"{docker.host}/me/m{next(names)}"
                put_model(store, name, content)
                return [COMMAND, "push", "--direct", "--insecure", name]

            def curl_pull() -> list[str]:
                return [CURL, "-sf", "-o", str(home / "loaded"), f"{base}/base/blobs/{digest}"]

            def pull(*options: str) -> Callable[[], list[str]]:
                def command() -> list[str]:
                    blob.unlink()
                    return [COMMAND, "pull", "--direct", "--insecure", *options, f"{docker.host}/me/base"]

                return command

            put_model(store, f"{docker.host}/me/base", content)
            measure([COMMAND, "push", "--direct", "--insecure", f"{docker.host}/me/base"], environment)
            kinds = {
                "curl -o (no digest)": curl_pull,
                "ollama-cli pull": pull(),
                "ollama-cli pull --transfers 1": pull("--transfers", "1"),
                "curl -T": curl_push,
                "ollama-cli push": push,
            }
            best: dict[str, tuple[float, float]] = {}
            for _ in range(rounds):
                for name, prepare in kinds.items():
                    seconds, cpu = measure(prepare(), environment)
                    best[name] = min(best.get(name, (seconds, cpu)), (seconds, cpu))
    print(f"{megabytes} MB, {rounds} rounds, interleaved; the quickest of each")
    print(f"{'':31} {'MB/s':>7} {'seconds':>8} {'CPU s':>7}")
    for name, (seconds, cpu) in best.items():
        print(f"{name:31} {megabytes / seconds:7.0f} {seconds:8.2f} {cpu:7.2f}")


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(given[0] if given else 3, given[1] if len(given) > 1 else 400)
