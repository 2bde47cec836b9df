"""One tree of errors; each has a message, a hint, a code and the exit status that it ends the program with.

Only ``main`` turns an error into an exit status; everything below raises. The statuses are a contract with scripts::

    CliError                     1  unexpected
    ├── SafetyError              1  refused, because it would not be safe
    ├── DeclinedError            1  a person was asked, and answered no
    ├── ArchiveError             1  the file of kept chats cannot be used
    ├── ModelStoreError          1  the folder of models cannot be used, or has no room
    ├── UsageError               2  the command line, a setting or a file that was given is wrong
    ├── ModelNotFoundError       3  no such model, or it is retired
    ├── SignInError              4  a sign-in is needed, was refused, or timed out
    ├── ForbiddenError           5  the plan does not hold it, or cloud models are disabled
    ├── LimitError               6  a usage limit is reached
    │   └── OverloadedError      6  too many requests at once; worth a retry
    ├── UnavailableError         7  network, TLS, time-out or server failure; worth a retry
    ├── AnswerError              8  the answer is incomplete or not valid
    └── StoreError               9  the credential store cannot be used
"""

from __future__ import annotations

from typing import Any, ClassVar

INTERRUPTED = 130
"""Exit status after Ctrl-C."""

CLOSED_PIPE = 141
"""Exit status when the reader of stdout went away."""


class CliError(Exception):
    """Anything that ends a command other than well.

    Args:
        message: One sentence that says what happened.
        hint: What to do next, in one or more lines.
        code: A word for scripts, where it differs from the class's.
        signin_url: The link that signs this device in, where that is the way out.
        http_status: What the server answered with, where it did.

    Attributes:
        told_by_api: Whether an Ollama server said so in its own words, rather than somebody's page on the way to it.
        server_words: Those words, on one line, without what they repeat of a credential.
        clock_agrees: Whether the answer's ``Date`` shows that the request was signed at the server's own time.
        retry_after: Seconds that the server asked to wait before another try, or None.
    """

    status: ClassVar[int] = 1
    default_code: ClassVar[str] = "unexpected"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        signin_url: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code
        self.signin_url = signin_url
        self.http_status = http_status
        self.told_by_api = False
        self.server_words = ""
        self.clock_agrees = False
        self.retry_after: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The error as the one object that ``--json`` prints on stderr."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "hint": self.hint,
                "status": self.status,
                "retryable": self.retryable,
                "signin_url": self.signin_url,
            }
        }


class SafetyError(CliError):
    """Refused, because going on would not be safe."""

    default_code = "refused"


class DeclinedError(CliError):
    """A person was asked, and answered no: nothing went wrong, and yet what was asked for did not happen."""

    default_code = "declined"


class ArchiveError(CliError):
    """The file of kept chats cannot be used; every other command, and a chat that is not kept, can go on."""

    default_code = "chats_unavailable"


class ModelStoreError(CliError):
    """The folder in which models are kept cannot be used, or has no room; a daemon's own store is not told so."""

    default_code = "model_store_unavailable"


class UsageError(CliError):
    """The command line, a setting or a given file is wrong."""

    status = 2
    default_code = "usage"


class ModelNotFoundError(CliError):
    """There is no such model, or there is none any more.

    Args:
        message: One sentence that says so.
        model: Its name, as the server was asked for it, where another one may have been meant.
        told: As of any error.
    """

    status = 3
    default_code = "model_not_found"

    def __init__(self, message: str, *, model: str = "", **told: Any) -> None:  # noqa: ANN401 - see CliError
        super().__init__(message, **told)
        self.model = model


class SignInError(CliError):
    """A sign-in is needed, was refused, or did not happen in time."""

    status = 4
    default_code = "signin_required"

    def without_link(self) -> SignInError:
        """The same error for a person who has been shown the link already."""
        return SignInError(self.message, hint=self.hint, code=self.code, http_status=self.http_status)


class ForbiddenError(CliError):
    """The account's plan does not hold it, or cloud models are disabled."""

    status = 5
    default_code = "forbidden"


class LimitError(CliError):
    """A usage limit is reached."""

    status = 6
    default_code = "limit_reached"


class OverloadedError(LimitError):
    """Too many requests for the server, or for the account at one time; a moment later there may be room."""

    default_code = "overloaded"
    retryable = True


class UnavailableError(CliError):
    """Network, TLS, time-out or server failure: worth a retry."""

    status = 7
    default_code = "unavailable"
    retryable = True


class AnswerError(CliError):
    """The answer is incomplete, or not what it has to be."""

    status = 8
    default_code = "answer_incomplete"


class StoreError(CliError):
    """The credential store cannot be used."""

    status = 9
    default_code = "store_unavailable"
