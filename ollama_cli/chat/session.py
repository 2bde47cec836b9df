"""A conversation and its settings, without a terminal: what is asked next, and what an answer changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ollama_cli.chat.messages import Message


@dataclass
class Session:
    """A conversation with a model.

    Attributes:
        model: The model, as the server that is asked names it.
        messages: What was said so far. The last one is the user's while it waits for an answer.
        loaded: Messages that the model itself begins with; only ``/save`` and the screen have use for them.
        system: What the model is told first, or nothing.
        think: Whether or how much it thinks; None leaves it to the model.
        format: ``json``, a JSON schema, or None.
        keep_alive: How long a daemon keeps the model loaded, as Go writes durations.
        parameters: Parameters of the model's runner.
        parent_model: What the model was made from, where the server says so.
    """

    model: str
    messages: list[Message] = field(default_factory=list)
    loaded: tuple[Message, ...] = ()
    system: str = ""
    think: bool | str | None = None
    format: str | Mapping[str, Any] | None = None
    keep_alive: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    parent_model: str = ""

    def ask(self, content: str, images: Sequence[str] = ()) -> None:
        """Say something; it waits for an answer."""
        self.messages.append(Message("user", content, images=tuple(images)))

    def answer(self, message: Message) -> None:
        """Take up an answer that came whole."""
        self.messages.append(message)

    @property
    def waits(self) -> bool:
        """Whether the last message is the user's, and has no answer yet."""
        return bool(self.messages) and self.messages[-1].role == "user"

    @property
    def last_answer(self) -> Message | None:
        """The last answer, or None."""
        return next((message for message in reversed(self.messages) if message.role == "assistant"), None)

    def take_back(self) -> bool:
        """Forget the last question with its answer; False where there is none. What the model was told since stays."""
        index = self._last_question()
        if index is not None:
            self.messages[index:] = self._told_since(index)
        return index is not None

    def take_back_answer(self) -> bool:
        """Forget what answers the last question, so that it waits again; False where there is no question.

        What the model was told since comes before the question, which is asked after it.
        """
        index = self._last_question()
        if index is not None:
            self.messages[index:] = [*self._told_since(index), self.messages[index]]
        return index is not None

    def _last_question(self) -> int | None:
        places = range(len(self.messages) - 1, -1, -1)
        return next((index for index in places if self.messages[index].role == "user"), None)

    def _told_since(self, index: int) -> list[Message]:
        return [message for message in self.messages[index:] if message.role == "system"]

    def set_system(self, text: str) -> None:
        """Tell the model something first; it holds from the next message on, and replaces one that nothing followed."""
        self.system = text
        if self.messages and self.messages[-1].role == "system":
            self.messages.pop()
        self.messages.append(Message("system", text))

    def clear(self) -> None:
        """Forget what was said; what the model is told first stays."""
        self.messages = [Message("system", self.system)] if self.system else []

    def begin_with(self, model: str) -> None:
        """Begin anew with another model."""
        self.model = model
        self.messages, self.loaded, self.parent_model = [], (), ""

    def chat_body(self) -> dict[str, Any]:
        """The request of ``/api/chat``; what is not given is not in it."""
        fields = {
            "model": self.model,
            "messages": [message.as_json() for message in self.messages],
            "format": self.format,
            "think": self.think,
            "keep_alive": self.keep_alive,
            "options": dict(self.parameters) or None,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def create_body(self, name: str) -> dict[str, Any]:
        """The request of ``/api/create`` that saves the conversation as a model.

        Args:
            name: The new model.
        """
        said = [message.as_json() for message in (*self.loaded, *self.messages)]
        fields = {
            "model": name,
            "from": self._parent,
            "system": self.system or None,
            "parameters": dict(self.parameters) or None,
            "messages": said or None,
        }
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def _parent(self) -> str:
        from ollama_cli.api.model_ref import ModelRef

        in_cloud = ModelRef.parse(self.model).source == "cloud"
        if not self.parent_model or (in_cloud and ModelRef.parse(self.parent_model).source != "cloud"):
            return self.model
        return self.parent_model
