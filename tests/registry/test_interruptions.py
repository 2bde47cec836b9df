"""What breaks a pull: Ctrl-C, kill -9, silence, a full disk, another pull; and what the next run makes of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lying_registry import Lying, RegistryHandler, pull_in_process
from models_on_disk import blob_path, cheap_bytes, digest_of, is_sound, manifest_of, put_model
from support import COMMAND, SECONDS, Cli, needs_mounts, until

from ollama_cli.errors import UnavailableError

pytestmark = pytest.mark.forked

LAYER = cheap_bytes(110_000_000)  # two parts
SMALL = cheap_bytes(4_000_000)


def pull(cli: Cli, lying: Lying, *args: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    return cli("pull", "--direct", "--insecure", *args, f"{lying.host}/library/tiny", **kwargs)


def starts(lying: Lying, content: bytes) -> list[int]:
    """Where the requests for a blob began."""
    asked = [headers.get("Range", "bytes=0-") for headers in lying.asked(digest_of(content))]
    return [int(re.match(r"bytes=(\d+)", each)[1]) for each in asked]  # type: ignore[index]


def after(count: int, then: Callable[[RegistryHandler], object], content: bytes) -> Callable[[RegistryHandler], bool]:
    """A hook that sends so many bytes of the first part of a blob, says that it sends more, and does something."""
    done = threading.Event()

    def hook(handler: RegistryHandler) -> bool:
        first = handler.headers.get("Range", "bytes=0-").startswith("bytes=0-")
        if done.is_set() or digest_of(content) not in handler.path or not first:
            return False
        done.set()
        ranged = re.fullmatch(r"bytes=0-(\d+)", handler.headers.get("Range", ""))
        size = int(ranged[1]) + 1 if ranged else len(content)
        handler.send_response(206 if ranged else 200)
        handler.send_header("Content-Length", str(size))
        if ranged:
            handler.send_header("Content-Range", f"bytes 0-{ranged[1]}/{len(content)}")
        handler.end_headers()
        handler.wfile.write(memoryview(content)[:count])
        handler.wfile.flush()
        then(handler)
        handler.close_connection = True
        return True

    return hook


def unfinished(store: Path, content: bytes) -> int:
    """The bytes that are counted of a blob that is being loaded."""
    try:
        counts = (store / "blobs/.ollama-cli" / f"{digest_of(content)[7:]}.parts").read_text().splitlines()
    except FileNotFoundError:
        return 0
    return sum(int(line) for line in counts[1:])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_what_was_loaded_is_not_loaded_again_after(cli: Cli, store: Path, lying: Lying, how: signal.Signals) -> None:
    release = threading.Event()
    lying.offer(LAYER)
    lying.hook = after(30_000_000, lambda _: release.wait(SECONDS), LAYER)
    name = f"{lying.host}/library/tiny"
    process = cli.start("pull", "--direct", "--insecure", name)
    # All of the second part, and of the first but a megabyte.
    until(lambda: unfinished(store, LAYER) >= 38_900_000, process)
    process.send_signal(how)
    _, said = process.communicate(timeout=SECONDS)
    release.set()
    assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL), said
    assert not blob_path(store, LAYER).exists()
    assert not list(store.glob("manifests/*/*/*/*"))
    lying.requests.clear()
    done = pull(cli, lying)
    assert done.returncode == 0, done.stderr
    (began,) = starts(lying, LAYER)
    assert 28_900_000 <= began <= 30_000_000
    assert is_sound(store)
    assert [path.name for path in (store / "blobs/.ollama-cli").iterdir()] == ["store.lock"]


def test_a_part_that_is_cut_goes_on_in_the_same_run(cli: Cli, store: Path, lying: Lying) -> None:
    lying.offer(SMALL)
    lying.hook = after(1_500_000, lambda _: None, SMALL)
    done = pull(cli, lying)
    assert done.returncode == 0, done.stderr
    assert starts(lying, SMALL) == [0, 1_500_000]
    assert is_sound(store)


def test_a_part_that_falls_silent_is_begun_again_where_it_stood(store: Path, lying: Lying) -> None:
    release = threading.Event()
    lying.offer(SMALL)
    lying.hook = after(2_000_000, lambda _: release.wait(SECONDS), SMALL)
    steps = [step.status for step in pull_in_process(lying, store, silence=0.3).steps()]
    release.set()
    assert steps[-1] == "success"
    assert starts(lying, SMALL) == [0, 2_000_000]
    assert is_sound(store)


def test_a_server_that_only_ever_falls_silent_is_given_up(store: Path, lying: Lying) -> None:
    release = threading.Event()
    lying.offer(SMALL)

    def silent(handler: RegistryHandler) -> bool:
        return "/blobs/" in handler.path and release.wait(SECONDS)

    lying.hook = silent
    with pytest.raises(UnavailableError) as caught:
        list(pull_in_process(lying, store, silence=0.1).steps())
    release.set()
    assert caught.value.code == "timeout"


def test_a_server_that_gives_no_parts_gives_the_whole(cli: Cli, store: Path, lying: Lying) -> None:
    lying.offer(LAYER)

    def whole(handler: RegistryHandler) -> bool:
        if digest_of(LAYER) not in handler.path:
            return False
        handler.send(200, LAYER)
        return True

    lying.hook = whole
    done = pull(cli, lying)
    assert done.returncode == 0, done.stderr
    assert [headers.get("Range") for headers in lying.asked(digest_of(LAYER))] == ["bytes=0-99999999", None]
    assert is_sound(store)


def test_two_pulls_at_once_load_a_layer_once(cli: Cli, store: Path, lying: Lying) -> None:
    second_waits = threading.Event()
    lying.offer(SMALL)
    lying.hook = after(1_000_000, lambda handler: _rest(handler, second_waits), SMALL)
    name = f"{lying.host}/library/tiny"
    processes = []
    for _ in range(2):
        processes.append(cli.start("pull", "--direct", "--insecure", name))
        until(lambda: lying.asked(digest_of(SMALL)), processes[0])
    stderr = processes[1].stderr
    assert stderr is not None
    for line in stderr:
        if "another command is loading" in line:
            second_waits.set()
    assert second_waits.is_set()
    for process in processes:
        process.communicate(timeout=SECONDS)
    assert [process.returncode for process in processes] == [0, 0]
    assert starts(lying, SMALL) == [0]
    assert is_sound(store)


def _rest(handler: RegistryHandler, when: threading.Event) -> None:
    assert when.wait(SECONDS)
    handler.wfile.write(memoryview(SMALL)[1_000_000:])


ON_A_SMALL_DISK = """
mount -t tmpfs -o size=6m tmpfs {store} || exit 99
echo $$ >{home}/shell
{command}; echo "first $?"
rm -f {store}/filler
{command}; echo "second $?"
cp -r {store} {home}/kept
"""


@needs_mounts
@pytest.mark.skipif(not Path("/proc/self/root").exists(), reason="the disk is filled through /proc")
def test_a_disk_that_fills_up_is_told_and_the_rest_is_loaded_when_there_is_room(
    cli: Cli, store: Path, lying: Lying
) -> None:
    lying.offer(SMALL)
    store.mkdir(parents=True)

    def fill(handler: RegistryHandler) -> None:
        seen_from_there = Path("/proc", (cli.home / "shell").read_text().strip(), "root") / store.relative_to("/")
        while unfinished(seen_from_there, SMALL) < 1_000_000:
            time.sleep(0.02)
        with (seen_from_there / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        handler.wfile.write(memoryview(SMALL)[1_500_000:])

    lying.hook = after(1_500_000, fill, SMALL)
    command = shlex.join([COMMAND, "pull", "--direct", "--insecure", "--json", f"{lying.host}/library/tiny"])
    script = ON_A_SMALL_DISK.format(store=store, home=cli.home, command=command)
    done = subprocess.run(
        ["unshare", "--mount", "--", "/bin/sh", "-c", script],
        env=cli.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "first 1" in done.stdout, done.stderr
    assert "second 0" in done.stdout, done.stderr
    error = next(json.loads(line)["error"] for line in done.stderr.splitlines() if line.startswith("{"))
    assert (error["code"], "goes on where it stopped" in error["hint"]) == ("disk_full", True)
    assert starts(lying, SMALL)[-1] >= 1_000_000
    assert is_sound(cli.home / "kept")


@needs_mounts
def test_a_model_for_which_there_is_no_room_is_not_begun(cli: Cli, store: Path, lying: Lying) -> None:
    lying.offer(SMALL, cheap_bytes(4_000_000, seed=1))
    store.mkdir(parents=True)
    command = shlex.join([COMMAND, "pull", "--direct", "--insecure", "--json", f"{lying.host}/library/tiny"])
    mounted = f"mount -t tmpfs -o size=6m tmpfs {store} || exit 99; exec {command}"
    done = subprocess.run(
        ["unshare", "--mount", "--", "/bin/sh", "-c", mounted],
        env=cli.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (done.returncode, error["code"]) == (1, "disk_full")
    assert not lying.asked("/blobs/")


def test_memory_stays_flat(cli: Cli, lying: Lying) -> None:
    peaks = []
    for content in (b"nothing much", LAYER):
        lying.offer(content)
        process = cli.start("pull", "--direct", "--insecure", f"{lying.host}/library/tiny")
        assert process.stdout is not None
        assert process.stderr is not None
        process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        process.stderr.close()
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss)
    assert peaks[1] - peaks[0] < 30_000  # KB; the layer has 110,000


def test_what_ollama_left_behind_is_not_trusted(cli: Cli, store: Path, lying: Lying) -> None:
    lying.offer(SMALL, b"unchecked")
    path = blob_path(store, SMALL)
    path.parent.mkdir(parents=True)
    Path(f"{path}-partial").write_bytes(bytes(len(SMALL)))
    part = {"N": 0, "Offset": 0, "Size": len(SMALL), "Completed": len(SMALL)}
    Path(f"{path}-partial-0").write_text(json.dumps(part))
    blob_path(store, b"unchecked").write_bytes(b"UNCHECKED")  # renamed by it before it was checked
    done = pull(cli, lying)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == SMALL
    assert blob_path(store, b"unchecked").read_bytes() == b"unchecked"


def test_layers_go_when_no_other_model_names_them(cli: Cli, store: Path, lying: Lying) -> None:
    lying.offer(b"old", b"shared", b"kept")
    assert pull(cli, lying).returncode == 0
    put_model(store, "another", b"shared")
    lying.offer(b"new", b"kept")
    done = pull(cli, lying)
    assert "removing unused layers" in done.stderr
    there = {content: blob_path(store, content).exists() for content in (b"old", b"shared", b"kept", b"new")}
    assert there == {b"old": False, b"shared": True, b"kept": True, b"new": True}
    # A manifest that cannot be read may name anything.
    damaged = store / "manifests/registry.ollama.ai/library/damaged/latest"
    damaged.parent.mkdir()
    damaged.write_text("{")
    lying.offer(b"newest")
    assert pull(cli, lying).returncode == 0
    assert blob_path(store, b"new").exists()


@pytest.mark.parametrize("damage", ["shorter", "flipped"])
def test_a_damaged_layer_is_loaded_again(cli: Cli, store: Path, lying: Lying, damage: str) -> None:
    lying.offer(b"a layer", b"another")
    assert pull(cli, lying).returncode == 0
    blob_path(store, b"a layer").write_bytes(b"a laye" if damage == "shorter" else b"A layer")
    lying.offer(b"a layer", b"one more")
    assert pull(cli, lying).returncode == 0
    assert is_sound(store)


def test_a_name_is_not_there_before_all_of_it_is(cli: Cli, store: Path, lying: Lying) -> None:
    lying.offer(b"first version")
    assert pull(cli, lying).returncode == 0
    manifest = next(store.glob("manifests/*/*/*/*"))
    before = manifest.read_bytes()
    lying.offer(SMALL, b"of the second version")
    seen: list[bytes] = []
    lying.hook = after(1_000_000, lambda _: seen.append(manifest.read_bytes()), SMALL)
    assert pull(cli, lying).returncode == 0
    assert seen == [before]
    assert manifest.read_bytes() == manifest_of(SMALL, b"of the second version")
