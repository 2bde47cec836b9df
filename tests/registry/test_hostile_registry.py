"""Registries that answer anything in any place: an error of ours, and a store in which a daemon finds nothing wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lying_registry import Lying, RegistryHandler
from models_on_disk import is_sound, manifest_of, put_model
from mutations import damaged, examples, failure_of, written

from ollama_cli import DeviceKey
from ollama_cli.api.manifest import Blob
from ollama_cli.api.model_name import ModelName
from ollama_cli.registry.pulling import Pull
from ollama_cli.registry.pushing import Push
from ollama_cli.registry.registry import Registry
from ollama_cli.registry.store import ModelStore
from ollama_cli.registry.unfinished import Unfinished
from ollama_cli.transport.clock import Clock
from ollama_cli.transport.retries import Retries

KEY = DeviceKey.generate()
LAYER = b"what a layer holds, and is not long"
STATUSES = [200, 200, 200, 201, 202, 204, 206, 301, 307, 307, 400, 401, 401, 403, 404, 405, 416, 429, 500, 502, 503]
HEADERS: dict[str, list[str]] = {
    "Location": [
        "/v2/library/tiny/x",
        "",
        "//",
        "http://[",
        "http://127.0.0.1:99999/",
        "ftp://x/",
        "?a=%zz",
        "\u00b2",
        "{own}",
    ],
    "Docker-Upload-Location": ["", "http://[::1", "/" + "x" * 20_000, "https://ollama.com/"],
    "Content-Range": [
        "bytes 0-34/35",
        "bytes 5-4/35",
        "bytes 0-9999999999999999999/*",
        "bytes */35",
        "x",
        "bytes 1-1/1",
    ],
    "Range": ["0-34", "bytes=0-4", "0-99999999999999999999", "0-0", "-", "\u00b2"],
    "WWW-Authenticate": [
        'Bearer realm="{own}/token",service="s",scope="repository:library/tiny:pull"',
        'Bearer realm="{own}/token?scope=%zz&ts=1",scope=" , "',
        'Bearer realm="http://[",scope="x"',
        'Basic realm="x"',
        'Bearer realm="{own}',
        "",
    ],
    "Retry-After": ["0", "soon", "-1", "Mon, 23 Nov 1926 08:00:30 GMT", "9" * 500],
    "Content-Encoding": ["gzip", "x"],
    "Date": ["Mon, 99 Foo 2026 08:00:30 GMT", "Mon, 23 Nov 2026 08:00:30 +9999", "\u00b2"],
}
TOKENS: list[Any] = [{"token": "abc", "expires_in": 300}, {"access_token": "abc"}]
REFUSALS: list[Any] = [{"errors": [{"code": "DENIED", "message": "no", "detail": None}]}, {"error": "no"}]
answers = st.tuples(
    st.sampled_from(STATUSES),
    st.dictionaries(
        st.sampled_from(list(HEADERS)),
        st.integers(0, 9),
        max_size=3,
    ),
    st.one_of(
        st.just(LAYER),
        st.sampled_from([b"", LAYER[:-1], LAYER + b"more", b"<html>"]),
        st.sampled_from([*TOKENS, *REFUSALS]).flatmap(written),
        written(json.loads(manifest_of(LAYER))),
    ),
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for between two tries."""
    monkeypatch.setattr("ollama_cli.registry.persistence._FIRST_WAIT", 0.0)
    monkeypatch.setattr("ollama_cli.transport.retries._seconds_to_wait", lambda _: 0.0)
    monkeypatch.setattr("ollama_cli.registry.crew.SECONDS_BETWEEN_LOOKS", 0.005)
    monkeypatch.setattr("ollama_cli.registry.unfinished.SMALLEST_PART", 1000)


def anything(told: list[tuple[int, dict[str, int], bytes]]) -> Callable[[RegistryHandler], bool]:
    """A registry that is truthful but for some of its answers, one after the other: None is the truth."""
    left: Iterator[tuple[int, dict[str, int], bytes] | None] = iter(told)

    def hook(handler: RegistryHandler) -> bool:
        answer = next(left, None)
        if answer is None:
            return False
        status, names, body = answer
        own = f"http://{handler.server.lying.host}"
        headers = {
            name: HEADERS[name][number % len(HEADERS[name])].replace("{own}", own) for name, number in names.items()
        }
        return handler.send(status, b"" if status in {204, 304} else body, headers)

    return hook


def opened(lying: Lying) -> tuple[ModelName, Registry]:
    name = ModelName.parse(f"http://{lying.host}/library/tiny")
    registry = Registry(name.base_url, lambda: KEY, Clock(), user_agent="test", insecure=True, timeout=httpx.Timeout(5))
    return name, registry


@pytest.mark.parametrize("work", ["pull", "push"])
def test_whatever_a_registry_answers_ends_well_or_in_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, lying: Lying, work: str
) -> None:
    lying.offer(LAYER)

    @examples(40)
    @example([(301, {"Location": 3}, b"")])
    @example([(404, {}, b""), (200, {"Docker-Upload-Location": 1}, b"")])
    @given(st.lists(st.none() | answers, min_size=1, max_size=6))
    def check(told: list[tuple[int, dict[str, int], bytes]]) -> None:
        lying.hook = anything(told)
        root = tmp_path_factory.mktemp("store")
        name, registry = opened(lying)
        if work == "push":
            put_model(root, f"{lying.host}/library/tiny", LAYER)
        steps = (Pull if work == "pull" else Push)(name, registry, ModelStore(root), Retries(), 2).steps()
        error = failure_of(lambda: list(steps))
        registry.close()
        assert error is None or error.status in range(1, 10)
        assert is_sound(root)

    check()


BLOB = Blob(f"sha256:{'0' * 64}", 2500)


@examples(50)
@given(st.data())
def test_whatever_an_earlier_pull_left_every_byte_has_its_part(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("unfinished")  # what an example before left would make another one of this
    Unfinished(folder, BLOB)
    counts = folder / f"{BLOB.hexadecimal}.parts"
    counts.write_bytes(data.draw(damaged(counts.read_bytes()) | st.binary(max_size=90)))
    if data.draw(st.booleans()):
        os.truncate(folder / BLOB.hexadecimal, data.draw(st.sampled_from([0, 1, BLOB.size - 1, BLOB.size + 1])))
    found = Unfinished(folder, BLOB)
    assert sum(part.size for part in found.parts) == BLOB.size
    assert all(0 <= part.done <= part.size for part in found.parts)
    assert [part.offset for part in found.parts] == list(range(0, BLOB.size, found.parts[0].size))
