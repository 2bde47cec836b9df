"""What the environment says, in one frozen value.

What is not ours alone is read where it is needed: the proxies, SSL_CERT_FILE and SSL_CERT_DIR in ``transport/``,
BROWSER in ``terminal/browser.py``, and TERM and NO_COLOR at the start.
"""

# Its annotations are no strings, as elsewhere: NamedTuple would compile each of them at every start.

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from ollama_cli.errors import StoreError, UsageError
from ollama_cli.secret import Secret
from ollama_cli.settings.hosts import CLOUD_URL, Host, is_loopback, origin_of
from ollama_cli.settings.profile_name import profile_name

SECRET_VARIABLES = ("OLLAMA_API_KEY", "OLLAMA_CLI_KEY", "OLLAMA_CLI_SERVE_TOKEN")
"""The variables that hold a credential."""

_FALSE_WORDS = frozenset({"", "0", "false", "f", "no", "n", "off"})


def is_true(value: str | None) -> bool:
    """Whether a variable switches something on; any other word than a clear no counts as yes, as in the reference."""
    return value is not None and value.strip().strip("\"'").lower() not in _FALSE_WORDS


def no_color_wanted(environ: Mapping[str, str]) -> bool:
    """Whether NO_COLOR is set, or the terminal knows no colour."""
    return bool(environ.get("NO_COLOR")) or dumb_terminal(environ)


def dumb_terminal(environ: Mapping[str, str]) -> bool:
    """Whether the terminal knows no escape sequences."""
    return environ.get("TERM") in {"dumb", "unknown"}


class Settings(NamedTuple):
    """Every variable that the program reads, by its meaning.

    Attributes:
        host: OLLAMA_HOST, or None where it is unset or empty.
        cloud_url: ollama.com, or the loopback address that OLLAMA_CLOUD_BASE_URL puts in its place.
        api_key: OLLAMA_API_KEY.
        device_key: OLLAMA_CLI_KEY, a private key in OpenSSH form.
        api_key_file: OLLAMA_API_KEY_FILE, a file that holds an API key, such as a container's secret.
        device_key_file: OLLAMA_CLI_KEY_FILE, a file that holds a private key.
        profile: OLLAMA_CLI_PROFILE, the profile whose stored credential counts, or None.
        sign_for_host: OLLAMA_AUTH, to sign requests to OLLAMA_HOST too.
        no_cloud: The reason why cloud models are off, or None.
        no_history: OLLAMA_NOHISTORY, to remember nothing of a chat: neither what is typed nor what is said.
        editor: OLLAMA_EDITOR, VISUAL or EDITOR, the editor for a long message.
        home_override: OLLAMA_CLI_HOME, the folder that everything is kept below.
        user_home: The person's home folder, in which an installed Ollama keeps its things, or None.
        has_display: Whether a window can be shown: DISPLAY or WAYLAND_DISPLAY is set.
        keep_chats: OLLAMA_CLI_KEEP, to keep every chat.
        origins: OLLAMA_ORIGINS, the pages of browsers that may ask `serve`.
        serve_token: OLLAMA_CLI_SERVE_TOKEN, what requests to `serve` have to bring.
        models_dir: OLLAMA_MODELS, the folder in which models are kept.
        warnings: What was wrong with a variable that is used all the same.
    """

    host: Host | None = None
    cloud_url: str = CLOUD_URL
    api_key: Secret | None = None
    device_key: Secret | None = None
    api_key_file: Path | None = None
    device_key_file: Path | None = None
    profile: str | None = None
    sign_for_host: bool = False
    no_cloud: str | None = None
    no_history: bool = False
    editor: str = ""
    home_override: Path | None = None
    user_home: Path | None = None
    has_display: bool = False
    keep_chats: bool = False
    origins: tuple[str, ...] = ()
    serve_token: Secret | None = None
    models_dir: Path | None = None
    warnings: tuple[str, ...] = ()

    @property
    def names_daemon(self) -> bool:
        """Whether OLLAMA_HOST names another server than ollama.com, so that account commands go there."""
        return self.host is not None and not self.host.is_ollama_com

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], places: Mapping[str, str] | None = None) -> Self:
        """Read the variables.

        Args:
            environ: The environment.
            places: Where OLLAMA_CLI_HOME, what is kept and the display are read, if not there: with ``--sandbox``
                nothing else counts.

        Raises:
            UsageError: A variable's value cannot be used.
        """
        user_home = _user_home(environ)
        host_text = environ.get("OLLAMA_HOST", "").strip().strip("\"'").strip()
        host = Host.parse(host_text) if host_text else None
        surroundings = environ if places is None else places
        return cls(
            host=host,
            cloud_url=_cloud_url(environ.get("OLLAMA_CLOUD_BASE_URL", "")),
            api_key=_secret(environ.get("OLLAMA_API_KEY")),
            device_key=_secret(environ.get("OLLAMA_CLI_KEY")),
            api_key_file=_path(environ.get("OLLAMA_API_KEY_FILE")),
            device_key_file=_path(environ.get("OLLAMA_CLI_KEY_FILE")),
            profile=_profile(environ.get("OLLAMA_CLI_PROFILE")),
            sign_for_host=is_true(environ.get("OLLAMA_AUTH")),
            no_cloud=_no_cloud(environ, user_home),
            editor=_first(surroundings, "OLLAMA_EDITOR", "VISUAL", "EDITOR"),
            home_override=_home_override(surroundings.get("OLLAMA_CLI_HOME", "")),
            user_home=user_home,
            has_display=any(surroundings.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")),
            keep_chats=is_true(surroundings.get("OLLAMA_CLI_KEEP")),
            models_dir=_folder(environ.get("OLLAMA_MODELS", "")),
            no_history=is_true(surroundings.get("OLLAMA_NOHISTORY")),
            origins=tuple(filter(None, surroundings.get("OLLAMA_ORIGINS", "").strip().strip("\"'").split(","))),
            serve_token=_secret(surroundings.get("OLLAMA_CLI_SERVE_TOKEN")),
            warnings=(host.warning,) if host and host.warning else (),
        )

    @property
    def data_dir(self) -> Path:
        """Where the index of credentials, stored keys, kept chats and the sandbox's account stand."""
        if self.home_override is not None:
            return self.home_override / "data"
        import platformdirs

        try:
            return platformdirs.user_data_path("ollama-cli", appauthor=False)
        except RuntimeError as error:
            raise _no_home() from error

    @property
    def cache_dir(self) -> Path:
        """Where stands what is only remembered and can be lost: the names of models."""
        if self.home_override is not None:
            return self.home_override / "cache"
        import platformdirs

        try:
            return platformdirs.user_cache_path("ollama-cli", appauthor=False)
        except RuntimeError as error:
            raise _no_home() from error


def _no_home() -> StoreError:
    return StoreError(
        "There is no home folder to keep anything in.", hint="Set HOME, or name a folder with OLLAMA_CLI_HOME."
    )


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")


def _secret(value: str | None) -> Secret | None:
    return Secret(value.strip()) if value and value.strip() else None


def _folder(value: str) -> Path | None:
    """A folder as the reference's server reads it: blanks and quotes around it do not count."""
    value = value.strip().strip("\"'")
    return Path(value) if value else None


def _path(value: str | None) -> Path | None:
    return Path(value) if value and value.strip() else None


def _profile(value: str | None) -> str | None:
    return profile_name(value, "OLLAMA_CLI_PROFILE") if value and value.strip() else None


def _home_override(value: str) -> Path | None:
    """The folder to keep everything below; a relative one would be another in every folder that a command runs in."""
    if not value:
        return None
    path = Path(value)
    if not path.is_absolute():
        raise UsageError(
            f"OLLAMA_CLI_HOME is {value!r}, which is no absolute path.",
            hint="Write the folder out, from / on; a shell puts your home in the place of $HOME.",
        )
    return path


def _cloud_url(value: str) -> str:
    """The stand-in for ollama.com; only a loopback address can be one, as in the reference's releases."""
    value = value.strip().strip("\"'").strip()
    if not value:
        return CLOUD_URL
    hint = "It takes a loopback address such as http://127.0.0.1:8080; unset it to use ollama.com."
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        acceptable = (
            parts.scheme in {"http", "https"}
            and is_loopback(value)
            and "@" not in parts.netloc
            and parts.path in {"", "/"}
            and not parts.query
            and not parts.fragment
            and parts.port != 0
        )
    except ValueError:
        acceptable = False
    if not acceptable:
        raise UsageError("OLLAMA_CLOUD_BASE_URL is not a bare loopback address.", hint=hint)
    return origin_of(value)


def _user_home(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else None


def _no_cloud(environ: Mapping[str, str], user_home: Path | None) -> str | None:
    """Why cloud models are off: the variable, or the switch in an installed Ollama's own settings."""
    if is_true(environ.get("OLLAMA_NO_CLOUD")):
        return "OLLAMA_NO_CLOUD is set"
    if user_home is None:
        return None
    path = user_home / ".ollama" / "server.json"
    try:
        written = path.read_bytes()
    except OSError:
        return None
    import json

    try:
        switched_off = json.loads(written).get("disable_ollama_cloud") is True
    except (ValueError, AttributeError, RecursionError):
        return None
    return f"disable_ollama_cloud is set in {path}" if switched_off else None
