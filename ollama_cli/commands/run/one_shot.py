"""One question and its answer, at the place where the model is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ollama_cli.commands.run.options import RunOptions, question_of
from ollama_cli.commands.run.replies import answer_stream, reply_for
from ollama_cli.errors import CliError, ModelNotFoundError, SignInError, UnavailableError, UsageError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.api.events import Chunk
    from ollama_cli.api.model_info import ModelInfo
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.api.place import Place
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import Active
    from ollama_cli.inference.question import Question
    from ollama_cli.terminal.streams import Streams
    from ollama_cli.transport.early import EarlyConnection


def run(context: Context, options: RunOptions) -> None:
    """Ask one question, and print its answer.

    Raises:
        SignInError: The server refuses the credential, and nobody is there to sign in.
        ModelNotFoundError: There is no such model.
        AnswerError: The answer broke off, or does not keep the schema; what came of it is printed.
    """
    from ollama_cli.api.model_ref import ModelRef
    from ollama_cli.api.place import model_place

    model = ModelRef.parse(options.model)
    place = model_place(context.settings, model, cloud=options.cloud)
    named = model.base if place.kind == "cloud" else options.model.strip()
    question = question_of(options, named, context.streams.piped_input())
    if options.wants_chat and question.prompt:
        raise UsageError("--keep and --continue are for a chat, which has no prompt on its command line.")
    if options.wants_chat or (not question.prompt and (place.kind == "cloud" or context.streams.input.isatty())):
        from ollama_cli.commands.run.chatting import chat, require_chat, stored_chat

        require_chat(context, options)
        chat(context, options, question, stored_chat(context, options.continued) if options.continued else None)
        return
    shot = OneShot(context, options)
    try:
        if place.kind == "cloud":
            shot.ask_cloud(place, model, question)
        else:
            shot.ask_daemon(place, model, question)
    except ModelNotFoundError as missing:
        from ollama_cli.commands.shared.near_names import suggest_near_name

        suggest_near_name(context, place, missing)
        raise


class OneShot:
    """One question on its way.

    Args:
        context: What the command works with.
        options: What its command line says.
    """

    def __init__(self, context: Context, options: RunOptions) -> None:
        self._context = context
        self._options = options

    def ask_cloud(self, place: Place, model: ModelRef, question: Question) -> None:
        """Ask ollama.com, signing in on the way where a person is there to do it."""
        context = self._context
        early = context.connect_early(place)
        active = context.cloud_credential(place)
        try:
            self._ask_unseen(self._client(place, active, early), question)
        except SignInError as refused:
            if refused.code == "clock_wrong":
                raise
            from ollama_cli.commands.shared.signin_when_refused import sign_in_or_raise

            sign_in_or_raise(context, place, active, refused)
            active = context.cloud_credential(place)
            # A new client, for the time that a person took is not the answer's.
            self._ask_unseen(self._client(place, active), question)
        context.note_signed_in(place, active)
        context.known_models.note_one(place.base_url, model.cloud_twin)

    def ask_daemon(self, place: Place, model: ModelRef, question: Question) -> None:
        """Ask a daemon, which is had to load the model first where it does not have it."""
        from ollama_cli.account.refusal import daemon_refusal
        from ollama_cli.commands.run.finding import find_model
        from ollama_cli.commands.shared.cloud_twin import twin_instead
        from ollama_cli.commands.shared.daemon import no_daemon

        active = self._context.daemon_credential(place)
        client = self._client(place, active)
        try:
            info = find_model(self._context, client, question.model, model, insecure=self._options.insecure)
            if info is not None:
                self._ask_seen(client, question, info)
                self._context.note_used(place, active)
                self._context.known_models.note_one(place.base_url, question.model)
                return
        except UnavailableError as error:
            raise no_daemon(error, place, twin_instead(self._context.settings, "run", model)) from error
        except SignInError as error:
            raise daemon_refusal(place.base_url, active, error) from error
        run(self._context, self._options._replace(model=model.cloud_twin))

    def _client(self, place: Place, active: Active | None, early: EarlyConnection | None = None) -> OllamaClient:
        seconds = self._options.timeout
        return self._context.client(place, active, total_seconds=seconds, one_shot=True, early=early)

    def _ask_unseen(self, client: OllamaClient, question: Question) -> None:
        """Ask a model that nothing is known of: its details are asked for only where the question needs them."""
        if self._options.wants_embedding or _names_files(question):
            self._ask_seen(client, question, client.show(question.model))
            return
        try:
            self._answer(client, question)
        except UsageError as error:
            if error.code != "bad_request" or not _embeds(client, question.model):
                raise
            self._embed(client, question)

    def _ask_seen(self, client: OllamaClient, question: Question, info: ModelInfo) -> None:
        """Ask a model in the way that suits what it can do."""
        if "embedding" in info.capabilities:
            self._embed(client, question)
            return
        if "image" in info.capabilities:
            raise UsageError(
                f"{question.model} makes images, which `run` cannot show.", hint="Use a model that writes."
            )
        if question.think is None and "thinking" in info.capabilities:
            question = question._replace(think=True)
        if info.takes_files:
            given = len(question.attachments)
            question = question.with_files_of_prompt()
            for attachment in question.attachments[given:]:
                self._context.streams.say(f"Sending {clean_line(str(attachment.path))} along ({attachment.kind}).")
        self._answer(client, question)

    def _answer(self, client: OllamaClient, question: Question) -> None:
        with answer_stream(self._context.streams, self._options) as streams:
            last, text = self._stream(client, question, streams)
            if isinstance(question.format, dict) and self._options.schema is not None:
                from ollama_cli.inference.schema import check_answer

                check_answer(text, question.format)
        if last.done_reason == "length":
            self._context.streams.say(
                "Warning: the answer stops where it reached the longest that was allowed; it is not whole. "
                "See num_predict and num_ctx of --option."
            )
        if self._options.verbose and last.statistics is not None:
            from ollama_cli.terminal.answers import show_statistics

            show_statistics(self._context.streams, last.statistics)

    def _stream(self, client: OllamaClient, question: Question, streams: Streams) -> tuple[Chunk, str]:
        """Show the answer; give its last piece, and its text where a schema needs it again."""
        from ollama_cli.api.events import Chunk

        reply = reply_for(streams, self._options, question.model)
        pieces: list[str] = []  # else a long answer takes no memory
        last = Chunk("", "", done=False, done_reason="")  # an answer without a piece is an error of the client's
        try:
            for last in client.generate(question.generate_body()):
                reply.show(last)
                if self._options.schema is not None:
                    pieces.append(last.text)
        finally:
            reply.end()
        return last, "".join(pieces)

    def _embed(self, client: OllamaClient, question: Question) -> None:
        from ollama_cli.inference.answer import json_of_vector

        if not question.prompt:
            raise UsageError(f"{question.model} makes embeddings, and needs a text to make one of.")
        content = client.embed(question.embed_body())
        vector = json_of_vector(content["embeddings"][0])
        if self._options.as_json or self._options.as_json_lines:
            facts = {name: content.get(name) for name in ("total_duration", "load_duration", "prompt_eval_count")}
            head = json.dumps({"model": content.get("model") or question.model, **facts})
            vector = f'{head[:-1]}, "embedding": {vector}}}'
        with answer_stream(self._context.streams, self._options) as streams:
            streams.answer(vector)


def _embeds(client: OllamaClient, model: str) -> bool:
    try:
        return "embedding" in client.show(model).capabilities
    except CliError:  # then what was refused first is the better answer
        return False


def _names_files(question: Question) -> bool:
    if "." not in question.prompt:  # nor a name of a file in it, then
        return False
    from ollama_cli.inference.attachments import existing_files

    return any(True for _ in existing_files(question.prompt))
