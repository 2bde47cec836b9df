"""What is remembered of which models servers have: bounded, and harmless whatever stands in the file."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli.api.known_models import MOST_NAMES, KnownModels, is_plain, run_names
from ollama_cli.api.model_list import ListedModel
from ollama_cli.api.place import Place
from ollama_cli.settings import Settings

SERVER = "http://127.0.0.1:11434"
CLOUD = Place("cloud", "https://ollama.com", authenticated=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "models.json"


def test_a_list_takes_the_place_of_what_was_known(path: Path) -> None:
    known = KnownModels(path)
    known.note(SERVER, ["b", "a:1", "a:1"])
    known.note("https://ollama.com", ["c"])
    assert KnownModels(path).names(SERVER) == ["a:1", "b"]
    known.note(SERVER, ["d"])
    known.note_one(SERVER, "e")
    known.note_one(SERVER, "d")
    known.forget_one(SERVER, "nothing")
    assert known.names(SERVER) == ["d", "e"]
    known.forget_one(SERVER, "d")
    assert known.names(SERVER) == ["e"]
    assert known.names("https://ollama.com") == ["c"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gpt-oss:12b-cloud", "gpt-oss:120b-cloud"),
        ("gptoss:cloud", "gpt-oss:120b-cloud"),
        ("gpt-os", "gpt-oss:120b-cloud"),
        ("gema3", "gemma3:4b"),
        ("gemma3:4b", None),
        ("gemma3:12b", "gemma3:4b"),
        ("llama3.2", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_the_nearest_name_is_found_and_none_that_only_begins_alike(path: Path, typed: str, meant: str | None) -> None:
    known = KnownModels(path)
    known.note(SERVER, ["gpt-oss:120b-cloud", "gemma3:4b", "qwen3-coder:480b-cloud"])
    assert known.near(SERVER, typed) == meant
    assert known.near("https://ollama.com", typed) is None


def test_when_a_server_was_asked_is_remembered(path: Path) -> None:
    known = KnownModels(path)
    known.note_one(SERVER, "a")
    assert (known.asked_since(SERVER, 60), known.was_listed(SERVER)) == (False, False)
    assert known.note_asked(SERVER)
    assert (known.asked_since(SERVER, 60), known.was_listed(SERVER)) == (True, False)
    known.note(SERVER, [])
    assert known.was_listed(SERVER)
    ahead = {"servers": {SERVER: {"asked_at": int(time.time()) + 1000, "names": ["a"]}}}
    path.write_text(json.dumps(ahead))
    assert not known.asked_since(SERVER, 60)  # the clock was set back; it shall not be forever


@pytest.mark.parametrize("name", ["$(touch x)", "`id`", "a\nb", "-rf", "a b", "a;b", "", "x" * 201, "\x1b[2J", "ä"])
def test_a_name_that_could_do_something_is_not_remembered(path: Path, name: str) -> None:
    known = KnownModels(path)
    known.note(SERVER, [name, "fine"])
    known.note_one(SERVER, name)
    assert known.names(SERVER) == ["fine"]


@pytest.mark.parametrize("name", ["llama3.2", "gpt-oss:120b-cloud", "hf.co/you/M_GGUF:Q4_K", "a@sha256:0f", "c++"])
def test_names_of_models_are_remembered(name: str) -> None:
    assert is_plain(name)


def test_what_is_remembered_is_bounded(path: Path) -> None:
    known = KnownModels(path)
    for number in range(12):
        known.note(f"http://127.0.0.1:{number}", (f"{'x' * 190}{model}" for model in range(MOST_NAMES + 5)))
    known.note_one("http://127.0.0.1:11", "more")
    assert len(known.names("http://127.0.0.1:11")) == MOST_NAMES
    assert path.stat().st_size < 2_000_000
    assert known.names("http://127.0.0.1:0") == []


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"servers": []}',
        b'{"servers": {"s": []}}',
        b'{"servers": {"s": {"names": "abc", "asked_at": "soon", "listed_at": 1.5}}}',
        b'{"servers": {"s": {"names": [1, null, "$(id)", "a b"], "asked_at": 1' + b"0" * 400 + b"}}}",
        b"[" * 100_000,
        b'{"servers": {"s": {"names": ["a"]}}}' + b" " * 3_000_000,
    ],
    ids=range(9),
)
def test_a_file_of_anybody_s_making_is_no_error_and_is_replaced(path: Path, written: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(written)
    known = KnownModels(path)
    assert (known.names("s"), known.was_listed("s"), known.asked_since("s", 60)) == ([], False, False)
    known.note("s", ["b"])
    assert known.names("s") == ["b"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["names", "asked_at", "listed_at", "s"]), inner),
)


@given(content=_JSON)
def test_only_plain_names_come_out_of_any_json(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any" / "models.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"servers": content if isinstance(content, dict) else {"s": content}}))
    known = KnownModels(path)
    assert all(map(is_plain, known.names("s")))
    known.asked_since("s", 60)


def test_what_others_can_write_to_is_not_believed(path: Path) -> None:
    known = KnownModels(path)
    known.note(SERVER, ["a"])
    path.chmod(0o666)
    assert known.names(SERVER) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    known = KnownModels(tmp_path / "file" / "models.json")
    known.note(SERVER, ["a"])
    assert (known.note_asked(SERVER), known.names(SERVER)) == (False, [])


def test_without_a_place_nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(*_: object, **__: object) -> Path:
        raise RuntimeError

    monkeypatch.setattr("platformdirs.user_cache_path", no_home)
    for known in (KnownModels.of(None), KnownModels.of(Settings())):
        known.note(SERVER, ["a"])
        assert (known.note_asked(SERVER), known.names(SERVER)) == (False, [])


def test_models_of_the_cloud_are_named_as_run_takes_them() -> None:
    listed = [ListedModel("gpt-oss:120b"), ListedModel("kimi")]
    assert run_names(CLOUD, listed) == ["gpt-oss:120b-cloud", "kimi:cloud"]
    assert run_names(Place("daemon", SERVER, authenticated=False), listed[:1]) == ["gpt-oss:120b"]
