"""Where a command acts, and with which credential: design.md's rules 1 to 3 and its order of credentials."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli import DeviceKey, ModelRef, OllamaAuth
from ollama_cli.api.place import Place, account_place, cloud_place, model_place
from ollama_cli.credentials.chosen import choose, given_for, open_wallet
from ollama_cli.credentials.credential import Active, ApiKey, Token
from ollama_cli.errors import ForbiddenError, SafetyError, SignInError, UsageError
from ollama_cli.secret import Secret
from ollama_cli.settings import Settings
from ollama_cli.settings.profile_name import profile_name

CLOUD = Place("cloud", "https://ollama.com", authenticated=True)
LOCAL = Place("daemon", "http://127.0.0.1:11434", authenticated=False)
STAND_IN = "http://127.0.0.1:8080"
FILE_KEY, ENVIRONMENT_KEY = DeviceKey.generate(), DeviceKey.generate()


def settings(**variables: str) -> Settings:
    return Settings.from_environment(variables)


def daemon(url: str, *, authenticated: bool = False) -> Place:
    return Place("daemon", url, authenticated=authenticated)


MODELS = {
    "cloud": ModelRef.parse("gpt-oss:120b-cloud"),
    "plain": ModelRef.parse("llama3"),
    "local": ModelRef.parse("llama3:local"),
}


@pytest.mark.parametrize("model", MODELS)
def test_rule_1_another_host_gets_everything(model: str) -> None:
    found = settings(OLLAMA_HOST="box:1234/base")
    assert model_place(found, MODELS[model]) == daemon("http://box:1234/base")
    assert account_place(found) == daemon("http://box:1234/base")
    assert account_place(found).base_path == "/base"
    assert account_place(found).origin == "http://box:1234"


def test_rule_1_another_host_is_signed_for_only_where_ollama_auth_says_so() -> None:
    found = settings(OLLAMA_HOST="https://box", OLLAMA_AUTH="1")
    assert account_place(found) == daemon("https://box:443", authenticated=True)
    assert not account_place(settings(OLLAMA_HOST="https://box", OLLAMA_AUTH="false")).authenticated


def test_rule_2_without_a_host_cloud_models_and_the_account_are_ollama_com_s() -> None:
    assert model_place(settings(), MODELS["cloud"]) == CLOUD
    assert account_place(settings()) == CLOUD


@pytest.mark.parametrize("text", ["", "  ", '""'])
def test_rule_2_an_empty_host_is_none(text: str) -> None:
    assert account_place(settings(OLLAMA_HOST=text)) == CLOUD


@pytest.mark.parametrize("model", ["plain", "local"])
def test_rule_2_without_a_host_other_models_are_the_local_daemon_s(model: str) -> None:
    assert model_place(settings(OLLAMA_AUTH="1"), MODELS[model]) == LOCAL


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("variables", [{}, {"OLLAMA_HOST": "box:1234"}])
def test_rule_2_the_cloud_option_goes_to_ollama_com_whatever_the_host(model: str, variables: dict[str, str]) -> None:
    assert model_place(settings(**variables), MODELS[model], cloud=True) == CLOUD
    assert account_place(settings(**variables), cloud=True) == CLOUD


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("host", ["https://ollama.com", "ollama.com", "https://OLLAMA.com:443", "https://ollama.com./"])
def test_rule_3_with_ollama_com_as_the_host_every_model_is_a_cloud_model(model: str, host: str) -> None:
    assert model_place(settings(OLLAMA_HOST=host), MODELS[model]) == CLOUD
    assert account_place(settings(OLLAMA_HOST=host)) == CLOUD


@pytest.mark.parametrize("cloud", [False, True])
@pytest.mark.parametrize(
    "host",
    [
        "http://ollama.com",
        "http://OLLAMA.COM",
        "OLLAMA.COM",
        "Ollama.com:443",
        "ollama.com/",
        "ollama.com.",
        "http://ollama.com:443",
        "http://ollama.com:8080",
        "https://ollama.com:8443",
        "ollama.com:80",
    ],
)
def test_ollama_com_without_tls_is_refused_in_any_case_and_port(host: str, cloud: bool) -> None:
    found = settings(OLLAMA_HOST=host)
    with pytest.raises(SafetyError):
        account_place(found, cloud=cloud)
    for model in MODELS.values():
        with pytest.raises(SafetyError):
            model_place(found, model, cloud=cloud)


def test_a_host_that_only_looks_like_ollama_com_is_another_host() -> None:
    assert account_place(settings(OLLAMA_HOST="https://ollama.com.example")).kind == "daemon"


def test_a_stand_in_takes_ollama_com_s_place() -> None:
    found = settings(OLLAMA_CLOUD_BASE_URL=f"{STAND_IN}/")
    assert account_place(found) == Place("cloud", STAND_IN, authenticated=True)
    assert model_place(found, MODELS["cloud"]).base_url == STAND_IN
    assert model_place(found, MODELS["plain"]) == LOCAL
    assert model_place(
        settings(OLLAMA_CLOUD_BASE_URL=STAND_IN, OLLAMA_HOST="ollama.com"), MODELS["plain"]
    ).base_url == (STAND_IN)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://10.0.0.1:80",
        "http://user@127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "http://127.0.0.1:80?x=1",
        "http://127.0.0.1:80#x",
        "http://127.0.0.1:99999",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://[::1",
    ],
)
def test_only_a_bare_loopback_address_stands_in_for_ollama_com(url: str) -> None:
    with pytest.raises(UsageError):
        settings(OLLAMA_CLOUD_BASE_URL=url)


@pytest.mark.parametrize("value", ["1", "true", "yes", "anything"])
def test_ollama_no_cloud_stops_whatever_would_go_to_ollama_com(value: str) -> None:
    found = settings(OLLAMA_NO_CLOUD=value)
    places: list[Callable[[], Place]] = [
        lambda: cloud_place(found),
        lambda: account_place(found),
        lambda: model_place(found, MODELS["cloud"]),
        lambda: model_place(found, MODELS["plain"], cloud=True),
        lambda: model_place(settings(OLLAMA_NO_CLOUD=value, OLLAMA_HOST="ollama.com"), MODELS["plain"]),
    ]
    for place in places:
        with pytest.raises(ForbiddenError) as caught:
            place()
        assert (caught.value.code, caught.value.status) == ("cloud_disabled", 5)


def test_ollama_no_cloud_leaves_daemons_alone() -> None:
    assert model_place(settings(OLLAMA_NO_CLOUD="1"), MODELS["plain"]) == LOCAL
    found = settings(OLLAMA_NO_CLOUD="1", OLLAMA_HOST="box:1")
    assert account_place(found) == model_place(found, MODELS["cloud"]) == daemon("http://box:1")


@pytest.mark.parametrize("value", ["", "0", "false", "no"])
def test_a_clear_no_in_ollama_no_cloud_is_no(value: str) -> None:
    assert account_place(settings(OLLAMA_NO_CLOUD=value)) == CLOUD


@pytest.mark.parametrize(
    ("content", "disabled"),
    [
        ('{"disable_ollama_cloud": true}', True),
        ('{"disable_ollama_cloud": false}', False),
        ('{"disable_ollama_cloud": "true"}', False),
        ("{}", False),
        ("[]", False),
        ("not json", False),
        ("", False),
    ],
)
def test_an_installed_ollama_s_switch_counts_too(tmp_path: Path, content: str, disabled: bool) -> None:
    (tmp_path / ".ollama").mkdir()
    (tmp_path / ".ollama" / "server.json").write_text(content, encoding="utf-8")
    assert bool(settings(HOME=str(tmp_path)).no_cloud) == disabled


# Which credential


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "id_ed25519"
    path.write_text(FILE_KEY.to_openssh().reveal(), encoding="utf-8")
    return path


BOTH: Mapping[str, str] = {"OLLAMA_API_KEY": "an-api-key", "OLLAMA_CLI_KEY": ENVIRONMENT_KEY.to_openssh().reveal()}


def public_key(active: Active | None) -> str:
    assert active is not None
    assert isinstance(active.credential, DeviceKey)
    return active.credential.public_key


def test_a_key_file_counts_before_the_environment(key_file: Path) -> None:
    active = given_for(settings(**BOTH), "https://ollama.com", key_file)
    assert public_key(active) == FILE_KEY.public_key
    assert active is not None
    assert active.source == f"--key-file {key_file}"


def test_an_api_key_counts_before_a_device_key_in_the_environment() -> None:
    active = given_for(settings(**BOTH), "https://ollama.com")
    assert active is not None
    assert isinstance(active.credential, ApiKey)
    assert active.credential.secret.reveal() == "an-api-key"
    assert active.source == "OLLAMA_API_KEY"


def test_a_device_key_in_the_environment_counts_without_an_api_key() -> None:
    active = given_for(settings(OLLAMA_CLI_KEY=BOTH["OLLAMA_CLI_KEY"], OLLAMA_API_KEY=" "), "https://ollama.com")
    assert public_key(active) == ENVIRONMENT_KEY.public_key


def test_nothing_given_is_none() -> None:
    assert given_for(settings(), "https://ollama.com") is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "http://127.0.0.1:11434",
        "http://127.0.0.1:8081",
        "https://127.0.0.1:8080",
        "http://box:1",
    ],
)
def test_the_environment_s_credential_goes_to_no_other_server(origin: str) -> None:
    assert given_for(settings(**BOTH, OLLAMA_CLOUD_BASE_URL=STAND_IN, OLLAMA_HOST="box:1"), origin) is None


@pytest.mark.parametrize("origin", ["https://ollama.com", STAND_IN])
def test_the_environment_s_credential_goes_to_ollama_com_and_to_its_stand_in(origin: str) -> None:
    assert given_for(settings(**BOTH, OLLAMA_CLOUD_BASE_URL=STAND_IN), origin) is not None


def test_a_key_file_goes_where_its_command_goes(key_file: Path) -> None:
    assert public_key(given_for(settings(**BOTH), "https://example.com", key_file)) == FILE_KEY.public_key


def test_a_key_file_that_cannot_be_used_is_no_reason_to_use_another_credential(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", "empty", "binary", "."):
        with pytest.raises(UsageError) as caught:
            given_for(settings(**BOTH), "https://ollama.com", tmp_path / name)
        assert (caught.value.code, caught.value.status) == ("bad_key", 2)


def test_a_damaged_key_in_the_environment_is_an_error_and_not_shown() -> None:
    with pytest.raises(UsageError, match="OLLAMA_CLI_KEY") as caught:
        given_for(settings(OLLAMA_CLI_KEY="no-key-at-all"), "https://ollama.com")
    assert "no-key-at-all" not in f"{caught.value.message}{caught.value.hint}"


def test_a_stored_key_counts_where_none_is_given(tmp_path: Path) -> None:
    home = {"OLLAMA_CLI_HOME": str(tmp_path)}
    stored = open_wallet(settings(**home), new_store="file").ensure("https://ollama.com")
    assert public_key(choose(settings(**home), "https://ollama.com")) == stored.credential.public_key
    assert public_key(choose(settings(**home, OLLAMA_CLI_KEY=BOTH["OLLAMA_CLI_KEY"]), "https://ollama.com")) == (
        ENVIRONMENT_KEY.public_key
    )
    assert choose(settings(**home), "https://example.com") is None


def test_a_profile_s_api_key_and_token_count_where_they_belong(tmp_path: Path) -> None:
    home = {"OLLAMA_CLI_HOME": str(tmp_path), "OLLAMA_CLI_PROFILE": "work"}
    wallet = open_wallet(settings(**home), new_store="file")
    wallet.secrets.put("https://ollama.com", "api_key", Secret("of-work"))
    wallet.secrets.put("https://box", "bearer", Secret("Bearer of-the-box"))
    assert choose(settings(**home), "https://ollama.com").credential == ApiKey(Secret("of-work"))  # type: ignore[union-attr]
    assert choose(settings(**home), "https://box").credential == Token(Secret("Bearer of-the-box"))  # type: ignore[union-attr]
    for other in ("http://box", "https://box:8443", "https://box.", "https://ollama.com:8443"):
        assert choose(settings(**home), other) is None
    assert choose(settings(OLLAMA_CLI_HOME=str(tmp_path)), "https://ollama.com") is None
    with pytest.raises(SignInError, match="no profile wrok"):
        choose(settings(OLLAMA_CLI_HOME=str(tmp_path), OLLAMA_CLI_PROFILE="wrok"), "https://ollama.com")
    active = choose(settings(**home, **BOTH), "https://ollama.com")
    assert (active.source if active else None) == "OLLAMA_API_KEY"
    assert given_for(settings(**BOTH), "https://ollama.com", profile="work") is None


@given(st.text(max_size=80))
def test_a_profile_s_name_is_a_safe_word_or_refused(text: str) -> None:
    refused = None
    try:
        name = profile_name(text, "--profile")
    except UsageError as error:
        refused = error
    if refused is not None:
        assert refused.message.isprintable()
        return
    assert name == profile_name(name, "--profile")
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name)


def test_each_origin_has_a_key_of_its_own(tmp_path: Path) -> None:
    wallet = open_wallet(settings(OLLAMA_CLI_HOME=str(tmp_path)), new_store="file")
    keys = {wallet.ensure(origin).credential.public_key for origin in ("https://ollama.com", STAND_IN, "https://box")}
    assert len(keys) == 3


def test_an_auth_without_any_credential_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_API_KEY", "OLLAMA_CLI_KEY", "OLLAMA_HOST", "OLLAMA_CLOUD_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_CLI_HOME", str(tmp_path))
    with pytest.raises(SignInError, match=r"for https://ollama\.com\."):
        OllamaAuth()


def test_settings_show_no_secret() -> None:
    assert "an-api-key" not in repr(settings(**BOTH))
    assert "PRIVATE KEY" not in repr(settings(**BOTH))
