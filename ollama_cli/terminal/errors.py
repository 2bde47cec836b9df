"""How an error is shown: a sentence and what to do next for a person, one JSON object for a script."""

from __future__ import annotations

import json
import re

from ollama_cli.errors import CliError, DeclinedError
from ollama_cli.terminal.sanitize import clean_line
from ollama_cli.terminal.streams import Streams


def show_fault(streams: Streams, fault: Exception, *, as_json: bool, debug: bool) -> CliError:
    """Print that something went wrong that should not, or that there was no memory for it.

    Args:
        streams: Where it goes.
        fault: What it was.
        as_json: Whether a script reads it.
        debug: Whether to print where it was; no values, for these may be secret.

    Returns:
        The error that was shown.
    """
    error = _no_memory() if _lacks_memory(fault) else _fault(fault)
    show_error(streams, error, as_json=as_json, raised=fault if debug else None)
    return error


def _fault(fault: Exception) -> CliError:
    return CliError(
        f"Something went wrong that should not ({type(fault).__name__}).",
        hint="This is a fault of ollama-cli. Run it again with --debug, and report what that prints.",
    )


def _lacks_memory(fault: Exception) -> bool:
    """Whether the system refused memory, a library to be loaded into it, or a thread."""
    words = ("failed to map segment", "Cannot allocate memory", "can't start new thread")
    return isinstance(fault, MemoryError) or any(each in str(fault) for each in words)


def _no_memory() -> CliError:
    return CliError(
        "The system gives this program no more memory, or no more threads.",
        hint="End other programs, or raise the limit: that of the shell (`ulimit -a`), or of the container.",
        code="out_of_memory",
    )


def _show_frames(streams: Streams, error: BaseException | None) -> None:
    """Print where an error was raised; no values, for these may be secret."""
    if error is None:
        return
    import traceback

    streams.say("".join(traceback.format_list(traceback.extract_tb(error.__traceback__))))


def in_sandbox(text: str) -> str:
    """A text whose commands stay in the sandbox, as does the page that it names."""
    from ollama_cli.settings.hosts import KEYS_PAGE

    commands = re.sub("`ollama-cli (?!--sandbox )", "`ollama-cli --sandbox ", text)
    return commands.replace(KEYS_PAGE, "/settings/keys of `ollama-cli sandbox`")


def in_profile(text: str, name: str) -> str:
    """A text whose commands act as a profile."""
    return re.sub(r"`ollama-cli (?!profile )", f"`ollama-cli --profile {name} ", text)


def in_cloud(text: str) -> str:
    """A text whose commands about the account go to ollama.com, where OLLAMA_HOST names another server."""
    commands = r"(`ollama-cli (?:--\S+ )*(?:signin|signout|status))(?! --host)"
    return re.sub(commands, r"\1 --cloud", text)


def show_error(streams: Streams, error: CliError, *, as_json: bool, raised: BaseException | None = None) -> None:
    """Print an error on stderr.

    Args:
        streams: Where it goes.
        error: What happened.
        as_json: Whether a script reads it: the object is the last line.
        raised: What was raised, where that is to be told too.
    """
    if as_json:
        _show_frames(streams, raised)
        streams.say(json.dumps(error.as_json()))
        return
    mark = "" if isinstance(error, DeclinedError) else "Error: "
    streams.say(f"{mark}{clean_line(error.message)}")
    for line in (error.hint or "").splitlines():
        streams.say(f"  {clean_line(line)}")
    if error.signin_url:
        streams.say("Sign in with this link:")
        streams.say("")
        streams.say(clean_line(error.signin_url))
        streams.say("")
    _show_frames(streams, raised)
