"""What a model is asked: one prompt with all that goes with it, and the request that it makes."""

# Its annotations are no strings, as elsewhere: NamedTuple would compile each of them at every start.

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from ollama_cli.inference.attachments import Attachment


class Question(NamedTuple):
    """One prompt with all that goes with it.

    Attributes:
        model: The model, as the server names it.
        prompt: The text; without one a daemon loads the model.
        system: What the model is told before it, or nothing.
        attachments: Images and sounds.
        format: ``json``, a JSON schema, or None.
        think: Whether or how much to think; None leaves it to the model.
        keep_alive: How long a daemon is to keep the model loaded, as Go writes durations; None leaves it to the daemon.
        parameters: Parameters of the model's runner.
        truncate: For an embedding: whether to cut a text that is too long.
        dimensions: For an embedding: how many numbers it is to have; 0 leaves it to the model.
    """

    model: str
    prompt: str
    system: str = ""
    attachments: tuple["Attachment", ...] = ()
    format: str | Mapping[str, Any] | None = None
    think: bool | str | None = None
    keep_alive: str | None = None
    parameters: Mapping[str, Any] = MappingProxyType({})
    truncate: bool | None = None
    dimensions: int = 0

    def with_files_of_prompt(self) -> Self:
        """The question with the files that its prompt names taken out of it and attached.

        Raises:
            UsageError: One cannot be read, or is no image and no sound.
        """
        from ollama_cli.inference.attachments import take_files

        prompt, found = take_files(self.prompt)
        return self._replace(prompt=prompt, attachments=(*self.attachments, *found))

    def generate_body(self) -> dict[str, Any]:
        """The request of ``/api/generate``; what is not given is not in it."""
        return _given(
            model=self.model,
            prompt=self.prompt or None,
            system=self.system or None,
            images=[attachment.encoded for attachment in self.attachments] or None,
            format=self.format,
            think=self.think,
            keep_alive=self.keep_alive,
            options=dict(self.parameters) or None,
        )

    def embed_body(self) -> dict[str, Any]:
        """The request of ``/api/embed``."""
        return _given(
            model=self.model,
            input=self.prompt,
            truncate=self.truncate,
            dimensions=self.dimensions or None,
            keep_alive=self.keep_alive,
            options=dict(self.parameters) or None,
        )


def _given(**fields: object) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
