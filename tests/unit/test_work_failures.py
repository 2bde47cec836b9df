"""What a daemon was heard to say when its work on a model failed, and what comes of it."""

from __future__ import annotations

import pytest

from ollama_cli.api.work_failures import error_in_work

NOT_ITS_OWN = "open /m/manifests/registry.ollama.ai/ada/x/latest: no such file or directory"
NO_TLS = 'pull model manifest: Get "https://r/v2/": http: server gave HTTP response to HTTPS client'
FAILURES = [
    # What the daemon says, with what it ends, and what it is called.
    ("pull model manifest: file does not exist", 3, "model_not_found"),
    (NOT_ITS_OWN, 3, "model_not_found"),
    ("open C:\\m\\manifests\\h\\ada\\x\\latest: The system cannot find the path specified.", 3, "model_not_found"),
    (NO_TLS, 2, "usage"),
    ('Get "https://r/v2/": tls: first record does not look like a TLS handshake', 2, "usage"),
    ("insecure protocol http", 2, "usage"),
    ('pull model manifest: Get "https://r/v2/": dial tcp: lookup r: no such host', 7, "registry_unreachable"),
    ("max retries exceeded: unexpected EOF", 7, "registry_unreachable"),
    ("write /m/blobs/sha256-ab-partial: no space left on device", 7, "server_error"),
    ("digest mismatch, file must be downloaded again: want sha256:a, got sha256:b", 8, "answer_incomplete"),
    ("pull model manifest: 412: this model requires a newer version of Ollama", 2, "bad_request"),
    ("pull model manifest: 429: you have reached your usage limit", 6, "limit_reached"),
    ("pull model manifest: 500: oh no", 7, "server_error"),
    ("something else", 8, "answer_incomplete"),
    ('401: {"errors":[{"code":"UNAUTHORIZED"}]}', 5, "registry_denied"),
    ("pull model manifest: 403: ", 5, "registry_denied"),
    ("unauthorized: access denied", 5, "registry_denied"),
    ("500: ", 7, "server_error"),
    ("", 8, "answer_incomplete"),
]


@pytest.mark.parametrize(("said", "status", "code"), FAILURES, ids=[row[0][:25] for row in FAILURES])
def test_what_a_daemon_says_has_a_status(said: str, status: int, code: str) -> None:
    for creating in (False, True):
        error = error_in_work({"error": said}, "ada/x", creating=creating)
        assert (error.status, error.code) == (status, code)
        assert error.told_by_api
    if code == "usage":
        assert "--insecure" in str(error.hint)


CREATIONS = [
    ("supplied file was not in GGUF format", 2),
    ("unknown type", 2),
    ("failed to validate GGUF with llama-quantize without compatibility patches: EOF", 2),
    ("template error: template: :1: unclosed action", 2),
    ("quantization is only supported for F16, BF16 and F32 models", 2),
    ('pull model manifest: Get "https://r/v2/": EOF', 7),
    ('pull model manifest: Get "https://r/v2/": tls: failed to verify certificate: x509: invalid', 7),
    ("llama runner crashed", 8),
]


@pytest.mark.parametrize(("said", "status"), CREATIONS)
def test_what_a_creation_fails_with_has_a_status(said: str, status: int) -> None:
    assert error_in_work({"error": said}, "tiny", creating=True).status == status


@pytest.mark.parametrize("words", ["open manifests ", "denied ", "open ", "(ref ", "\u00e9"])
def test_what_goes_on_for_ever_is_not_looked_at_for_ever(words: str) -> None:
    """A pattern that goes through a text once for each of its words would take hours for a line of eight megabytes."""
    error = error_in_work({"error": words * 50_000}, "ada/x", creating=True)
    assert (error.status, error.code) == (8, "answer_incomplete")
    assert len(error.server_words) < 5000
    ended = error_in_work({"error": f"{words * 50_000}: file does not exist"}, "ada/x")
    assert ended.code == "model_not_found"
