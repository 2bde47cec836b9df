"""The Python API is frozen: these names, these signatures, and an import that costs nothing."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import ollama_cli
from ollama_cli import DeviceKey, ModelRef, OllamaAuth, parse_host, signin_url


def test_the_public_names_are_these() -> None:
    assert sorted(ollama_cli.__all__) == [
        "DeviceKey",
        "ModelRef",
        "OllamaAuth",
        "__version__",
        "parse_host",
        "signin_url",
    ]
    for name in ollama_cli.__all__:
        assert getattr(ollama_cli, name) is not None


def test_a_name_that_is_none_of_them_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = ollama_cli.Nothing


SIGNATURES: list[tuple[Callable[..., Any], str]] = [
    (
        OllamaAuth,
        (
            "(credential: 'DeviceKey | ApiKey | str | None' = None, origin: 'str' = 'https://ollama.com', "
            "base_path: 'str' = '') -> 'None'"
        ),
    ),
    (parse_host, "(text: 'str') -> 'str'"),
    (ModelRef.parse, "(text: 'str') -> 'ModelRef'"),
    (signin_url, "(device_name: 'str', public_key: 'str', *, base_url: 'str' = 'https://ollama.com') -> 'str'"),
    (DeviceKey.generate, "() -> 'DeviceKey'"),
    (DeviceKey.from_openssh, "(text: 'str', passphrase: 'str | None' = None) -> 'DeviceKey'"),
    (DeviceKey.sign, "(self, message: 'bytes | str') -> 'str'"),
    (DeviceKey.to_openssh, "(self, passphrase: 'str | None' = None) -> 'Secret'"),
]


@pytest.mark.parametrize(("function", "signature"), SIGNATURES, ids=lambda value: getattr(value, "__qualname__", ""))
def test_the_signatures_are_these(function: Callable[..., Any], signature: str) -> None:
    assert str(inspect.signature(function)) == signature


def test_the_values_have_these_attributes() -> None:
    key = DeviceKey.generate()
    ref = ModelRef.parse("gpt-oss:120b-cloud")
    assert all(isinstance(value, str) for value in (key.public_key, key.encoded, key.fingerprint, key.sign(b"m")))
    assert (ref.base, ref.source, ref.pull_name) == ("gpt-oss:120b", "cloud", "gpt-oss:120b-cloud")


def test_the_auth_works_in_any_client_of_httpx() -> None:
    assert issubclass(OllamaAuth, httpx.Auth)
    assert not OllamaAuth.requires_request_body
    assert not OllamaAuth.requires_response_body


@pytest.mark.parametrize("statement", ["import ollama_cli", "from ollama_cli import parse_host, ModelRef, signin_url"])
def test_the_import_loads_no_third_party_package(statement: str) -> None:
    listing = (
        "import sys; before = set(sys.modules)\n"
        f"{statement}\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(names - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ollama_cli"]


def test_the_import_of_the_package_loads_nothing_of_its_own_either() -> None:
    listing = "import ollama_cli, sys; print(*sorted(name for name in sys.modules if name.startswith('ollama_cli')))"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ollama_cli"]
