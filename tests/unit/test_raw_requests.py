"""The rules of raw requests: bodies written as fields, addresses, and what is wrong with a stream."""

from __future__ import annotations

from typing import Any

import pytest

from ollama_cli.api.place import Place
from ollama_cli.api.raw import url_at, watched
from ollama_cli.commands.api.fields import body_of_fields
from ollama_cli.errors import AnswerError, CliError, OverloadedError, SafetyError, UsageError

CLOUD = Place("cloud", "https://ollama.com", authenticated=True)
BELOW = Place("daemon", "http://127.0.0.1:8080/base", authenticated=False)

FIELDS: dict[str, tuple[list[str], list[str], dict[str, Any]]] = {
    "text": (["a=1", "b=true", "c="], [], {"a": "1", "b": "true", "c": ""}),
    "types": ([], ["a=1", "b=-0.5", "c=true", "d=null", "e=no"], {"a": 1, "b": -0.5, "c": True, "d": None, "e": "no"}),
    "JSON": ([], ['a={"b":[1]}', 'c="1"', "d=[x"], {"a": {"b": [1]}, "c": "1", "d": "[x"}),
    "no JSON": ([], ["a=NaN", "b=-Infinity", "c=1e999"], {"a": "NaN", "b": "-Infinity", "c": "1e999"}),
    "large": ([], [f"a={10**40}"], {"a": 10**40}),
    "equals sign": (["a=b=c"], [], {"a": "b=c"}),
    "objects": ([], ["options[seed]=7", "options[a][b]=x"], {"options": {"seed": 7, "a": {"b": "x"}}}),
    "list": (["stop[]=a"], ["stop[]=1"], {"stop": ["a", 1]}),
    "list of objects": (
        ["m[][role]=system", "m[][content]=a", "m[][role]=user", "m[][content]=b"],
        ["m[][images][]=x", "m[][images][]=y"],
        {"m": [{"role": "system", "content": "a"}, {"role": "user", "content": "b", "images": ["x", "y"]}]},
    ),
    "file": (["a=@b"], ["c=@d"], {"a": "@b", "c": "what d holds"}),
}


@pytest.mark.parametrize("case", FIELDS)
def test_fields_make_a_body(case: str) -> None:
    raw, typed, body = FIELDS[case]
    assert body_of_fields(raw, typed, lambda name: f"what {name} holds") == body


@pytest.mark.parametrize(
    "fields",
    [["a"], ["=1"], ["[a]=1"], ["a[=1"], ["a]=1"], ["a[b]c=1"], ["a=1", "a=2"], ["a=1", "a[b]=2"], ["a[]=1", "a[b]=2"],
     ["a[b]=1", "a[]=2"], ["a[][]=1"]],
    ids=" ".join,
)  # fmt: skip
def test_fields_that_contradict_or_are_none(fields: list[str]) -> None:
    with pytest.raises(UsageError):
        body_of_fields(fields, [], str)


@pytest.mark.parametrize(
    ("place", "text", "url"),
    [
        (CLOUD, "/api/tags", "https://ollama.com/api/tags"),
        (CLOUD, "api/tags?a=b", "https://ollama.com/api/tags?a=b"),
        (CLOUD, "@evil.example/", "https://ollama.com/@evil.example/"),
        (CLOUD, ".evil.example/", "https://ollama.com/.evil.example/"),
        (CLOUD, ":443@evil.example/", "https://ollama.com/:443@evil.example/"),
        (CLOUD, "https:/evil.example/", "https://ollama.com/https:/evil.example/"),
        (CLOUD, "HTTPS://OLLAMA.com:443/api/me", "https://ollama.com/api/me"),
        (CLOUD, "https://ollama.com", "https://ollama.com/"),
        (CLOUD, "https://ollama.com?a=@b", "https://ollama.com/?a=@b"),
        (CLOUD, "https://ollama.com//evil.example", "https://ollama.com//evil.example"),
        (BELOW, "/api/tags", "http://127.0.0.1:8080/base/api/tags"),
        (BELOW, "http://127.0.0.1:8080/api/tags", "http://127.0.0.1:8080/api/tags"),
    ],
    ids=ascii,
)
def test_an_address_is_at_the_place(place: Place, text: str, url: str) -> None:
    assert url_at(place, text) == url


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example/api/me",
        "///evil.example",
        "https://evil.example/",
        "https://ollama.com.evil.example/",
        "https://ollama.com./",
        "https://ollama.com@evil.example/",
        "https://a:b@ollama.com/",
        "https://@ollama.com/",
        "https://ollama.com:8443/",
        "https://ollama.com:443@evil.example/",
        "http://ollama.com/",
        "http://ollama.com:443/",
        "ftp://ollama.com/",
        "https:///api/me",
        "https://ollam\u0430.com/",
        "https://www.ollama.com/",
        "http://127.0.0.1:11434/api/tags",
    ],
    ids=ascii,
)
def test_an_address_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(SafetyError) as refused:
        url_at(CLOUD, text)
    assert text not in refused.value.message


@pytest.mark.parametrize(
    "text",
    ["/a b", "/a\nHost: evil", "/a\r", "/\\evil.example", "https://ollama.com\\@evil.example/", "/a#b",
     "https://ollama.com:x/", "https://[evil/", "https://ollama\uff0ecom:/\u2100"],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises((UsageError, SafetyError)):
        url_at(CLOUD, text)


STREAMS: dict[str, tuple[list[bytes], type[CliError] | None]] = {
    "whole": ([b'{"done":false}\n{"do', b'ne":true}\n'], None),
    "of another kind": ([b'{"status":"pulling"}\n', b'{"status":"success"}'], None),
    "no JSON": ([b"data: {}\n\n", b"data: [DONE]\n\n", b"[1]\n"], None),
    "empty": ([], None),
    "an empty error in each line": ([b'{"error":"","done":true}\n'], None),
    "broken off": ([b'{"done":false}\n', b"\n"], AnswerError),
    "an error": ([b'{"error":"it broke"}\n', b'{"done":true}\n'], AnswerError),
    "an error with a status": ([b'{"error":"busy","status_code":429}'], OverloadedError),
}


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_is_passed_on_whole_and_then_judged(case: str) -> None:
    parts, wrong = STREAMS[case]
    passed: list[bytes] = []
    if wrong is None:
        passed.extend(watched(parts, None))
    else:
        with pytest.raises(wrong):
            passed.extend(watched(parts, None))
    assert b"".join(passed) == b"".join(parts)
