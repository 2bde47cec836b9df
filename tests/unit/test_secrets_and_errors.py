"""A secret never shows itself, and every error ends the program with the status that scripts rely on."""

import copy
import json
import pickle
import traceback

import pytest

from ollama_cli import DeviceKey, errors
from ollama_cli.credentials.credential import Active, ApiKey
from ollama_cli.errors import CliError, SignInError
from ollama_cli.secret import Secret

TEXT = "s3cr3t-t3xt"


def test_a_secret_shows_itself_in_no_text() -> None:
    secret = Secret(TEXT)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", "%s %r" % (secret, secret), ascii(secret)]  # noqa: UP031
    shown += [
        repr([secret]),
        repr({"key": secret}),
        f"{[secret]}",
        repr(ApiKey(secret)),
        repr(Active(ApiKey(secret), "x")),
    ]
    assert not [text for text in shown if TEXT in text]
    assert secret.reveal() == TEXT


def test_a_secret_is_neither_pickled_nor_copied_into_json() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(Secret(TEXT), protocol)
    with pytest.raises(TypeError):
        json.dumps(Secret(TEXT))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret(TEXT))


def test_a_secret_takes_no_format_that_could_cut_it_out() -> None:
    assert TEXT[:3] not in format(Secret(TEXT), "")
    with pytest.raises(TypeError):
        format(Secret(TEXT), ".3")


def test_secrets_compare_by_their_text_and_with_nothing_else() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT
    assert hash(Secret(TEXT)) == hash(Secret(TEXT))
    assert Secret("\u00e9") == Secret("\u00e9")
    assert bool(Secret(TEXT))
    assert not Secret("")


def test_a_device_key_shows_its_fingerprint_only() -> None:
    key = DeviceKey.generate()
    pem = key.to_openssh()
    assert repr(key) == str(key) == f"DeviceKey({key.fingerprint})"
    assert pem.reveal().startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert "PRIVATE" not in repr(pem)


def test_a_device_key_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(DeviceKey.generate())


def test_a_damaged_key_is_not_quoted_in_its_error() -> None:
    lines = DeviceKey.generate().to_openssh().reveal().splitlines()
    damaged = "\n".join([lines[0], lines[1][:-8], *lines[2:]])
    with pytest.raises(CliError) as caught:
        DeviceKey.from_openssh(damaged)
    told = "".join(traceback.format_exception(caught.value)) + json.dumps(caught.value.as_json())
    assert lines[1][:16] not in told
    assert lines[3] not in told


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "caf\u00e9", "tab\t", "\x1b[m", "null\x00"])
def test_an_api_key_that_could_not_stand_in_a_header_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(errors.UsageError) as caught:
        ApiKey(Secret(text))
    assert text not in json.dumps(caught.value.as_json(), ensure_ascii=False)


STATUSES = {
    "CliError": (1, "unexpected", False),
    "DeclinedError": (1, "declined", False),
    "ArchiveError": (1, "chats_unavailable", False),
    "ModelStoreError": (1, "model_store_unavailable", False),
    "SafetyError": (1, "refused", False),
    "UsageError": (2, "usage", False),
    "ModelNotFoundError": (3, "model_not_found", False),
    "SignInError": (4, "signin_required", False),
    "ForbiddenError": (5, "forbidden", False),
    "LimitError": (6, "limit_reached", False),
    "OverloadedError": (6, "overloaded", True),
    "UnavailableError": (7, "unavailable", True),
    "AnswerError": (8, "answer_incomplete", False),
    "StoreError": (9, "store_unavailable", False),
}


def test_the_table_of_statuses_is_complete() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, CliError)]
    assert {cls.__name__: (cls.status, cls.default_code, cls.retryable) for cls in classes} == STATUSES
    assert (errors.INTERRUPTED, errors.CLOSED_PIPE) == (130, 141)


@pytest.mark.parametrize("name", STATUSES)
def test_an_error_is_one_json_object_of_six_fields(name: str) -> None:
    status, code, retryable = STATUSES[name]
    error = getattr(errors, name)("What happened.", hint="Do this.")
    assert error.as_json() == {
        "error": {
            "code": code,
            "message": "What happened.",
            "hint": "Do this.",
            "status": status,
            "retryable": retryable,
            "signin_url": None,
        }
    }
    assert str(error) == "What happened."


def test_an_error_s_json_has_every_field_also_where_it_is_empty() -> None:
    content = CliError("x", code="own").as_json()["error"]
    assert list(content) == ["code", "message", "hint", "status", "retryable", "signin_url"]
    assert (content["code"], content["hint"]) == ("own", None)


def test_a_link_that_was_shown_already_is_left_out() -> None:
    error = SignInError("m", hint="h", code="c", signin_url="https://x", http_status=401).without_link()
    assert (error.signin_url, error.hint, error.code, error.http_status) == (None, "h", "c", 401)
