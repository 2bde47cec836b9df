"""The steps of ``keys rotate``, each of which leaves a state that the next run goes on from."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_cli.commands.keys import rotation_questions as questions
from ollama_cli.commands.shared.rotating import NEW_KEY_WAITS, OLD_KEY_REMAINS, put_away_key, told
from ollama_cli.commands.shared.still_active import tell_what_counts_before
from ollama_cli.credentials.listing import NEW
from ollama_cli.credentials.public_key import fingerprint_of
from ollama_cli.errors import CliError, DeclinedError, SignInError, UsageError
from ollama_cli.terminal.sanitize import clean_line

if TYPE_CHECKING:
    from ollama_cli.account.rotation import Ended
    from ollama_cli.account.signin import Waiting
    from ollama_cli.api.account import Account
    from ollama_cli.api.place import Place
    from ollama_cli.commands.keys.rotation_options import RotateOptions
    from ollama_cli.context import Context
    from ollama_cli.credentials.credential import StoredKey
    from ollama_cli.credentials.listing import KeyRecord

_LATER = "Approve it with the link; then `ollama-cli keys rotate` goes on. Until then the old key stays in use."


class RotationSteps:
    """A rotation of this device's key.

    Args:
        context: What the command works with.
        place: ollama.com, or what stands in for it.
        options: What the command line says.
    """

    def __init__(self, context: Context, place: Place, options: RotateOptions) -> None:
        self._context = context
        self._place = place
        self._options = options
        self._rotation = context.wallet.rotation(context.key_name(place))

    def go_on(self) -> None:
        """Do what is left to do, from the new key to the end of the old one.

        Raises:
            CliError: A step failed; what was done before it stays done.
        """
        record = self._rotation.record
        account = self._change_over(record) if record is None or record.role == NEW else None
        new = self._context.device_record
        if new is not None:
            where = self._context.wallet.describe_store(new)
            self._tell(f"This device signs with its new key now: {fingerprint_of(new.public_key)}, in {where}.")
        self._end(new, account)
        tell_what_counts_before(self._context, self._place, "the new key")

    def cancel(self) -> None:
        """Give up a rotation whose new key has not taken over.

        Raises:
            UsageError: It has.
            CliError: The new key could not be taken off; it is still there then.
        """
        record = self._rotation.record
        if record is None:
            self._tell("No rotation is under way.")
            self._answer(cancelled=False, new_fingerprint=None, new_key=None)
            return
        if record.role != NEW:
            raise UsageError(
                "The new key has taken over already, so the rotation cannot be given up.",
                hint="`ollama-cli keys rotate` finishes it; another one makes another key.",
            )
        ended = put_away_key(self._context, self._place, record)
        self._tell_end(ended, f"the new key {fingerprint_of(record.public_key)}")
        self._tell("This device goes on with the key that it has.")
        self._answer(cancelled=True, new_fingerprint=fingerprint_of(record.public_key), new_key=ended)

    def _change_over(self, record: KeyRecord | None) -> Account:
        """Have a new key approved and proved, and make it the current one."""
        from ollama_cli.commands.shared.approving import waiting_for

        context = self._context
        waiting = waiting_for(context.streams, self._options.approval, as_json=self._options.as_json)
        new = self._stored(record) if record is not None else None
        if new is None:
            new, leave_old = self._begin()
        else:
            current = context.device_record
            leave_old = current is not None and questions.leaves_old(context, current, self._options)
            context.streams.say("Going on with the rotation that was begun before.")
        account = self._approval(new, waiting)
        self._check_account(account, new)
        self._rotation.take_over(new.credential.public_key, leave_old=leave_old)
        return account

    def _stored(self, record: KeyRecord) -> StoredKey | None:
        """The new key of a rotation; where its store has lost it, it is put away, and another is made."""
        stored = self._context.wallet.key_of(record)
        if stored is None:
            ended = put_away_key(self._context, self._place, record)
            self._context.streams.say(told(ended, f"the new key {fingerprint_of(record.public_key)}"))
        return stored

    def _begin(self) -> tuple[StoredKey, bool]:
        """Make and store a new key, beside one that works; and whether that is left to another program afterwards."""
        from ollama_cli.account.refusal import refusal
        from ollama_cli.commands.keys.own import own_key, own_record

        context = self._context
        current, record = own_key(context), own_record(context)
        account, refused = context.client(self._place, current).account()
        if account is None:
            raise refusal(current, refused=refused)
        context.note_signed_in(self._place, current)
        leave_old = questions.leaves_old(context, record, self._options)
        kind = "file" if context.options.insecure_storage else record.store
        begun = self._rotation.holds_unlisted(record, kind)
        passphrase = None if begun else questions.new_passphrase(context, self._options)
        new = self._rotation.begin(kind, account.name, passphrase)
        context.streams.say(clean_line(f"A new key is stored in {new.source}."))
        context.streams.say("The old key stays in use until the new one works.")
        return new, leave_old

    def _approval(self, new: StoredKey, waiting: Waiting) -> Account:
        context = self._context
        waiting = replace(waiting, subject="the new key", key_label="The new key", later=_LATER)
        try:
            return context.approval(self._place, new, waiting, name=self._options.approval.name)
        except SignInError as error:
            self._answer_rotated(
                rotation=NEW_KEY_WAITS,
                new_fingerprint=new.credential.fingerprint,
                old=context.device_record,
                signin_url=error.signin_url,
            )
            if self._options.as_json:
                raise
            raise error.without_link() from None  # it was printed already

    def _check_account(self, account: Account, new: StoredKey) -> None:
        """Have a person agree where another account has approved the new key.

        Raises:
            SafetyError: Nobody is there to agree.
            DeclinedError: The answer is no; the new key is put away then.
        """
        record = self._rotation.record
        if record is None or self._options.other_account:
            return
        before = record.account or self._account_of_current()  # it is not noted where the list was lost
        if before in {None, account.name} or questions.goes_over(self._context, before or "", account.name):
            return
        ended = put_away_key(self._context, self._place, record)
        self._context.streams.say(told(ended, f"the new key {new.credential.fingerprint}"))
        raise DeclinedError("Nothing was rotated.")

    def _account_of_current(self) -> str | None:
        current = self._context.wallet.find(self._context.key_name(self._place))
        account = self._context.client(self._place, current).account()[0] if current is not None else None
        return account.name if account is not None else None

    def _end(self, new: KeyRecord | None, account: Account | None) -> None:
        """Take the old key off the account, and forget it."""
        old = self._rotation.record
        if old is None or old.role == NEW:  # another terminal was faster
            self._answer_rotated(new, account=account, rotated=True)
            return
        if self._options.sign_out_ollama is not None:
            leave_old = questions.leaves_old(self._context, old, self._options)
            old = self._rotation.settle(old, leave_old=leave_old)
        what = f"the old key {fingerprint_of(old.public_key)}"
        try:
            ended = put_away_key(self._context, self._place, old)
        except CliError as error:
            self._answer_rotated(new, account=account, rotation=OLD_KEY_REMAINS, old=old)
            error.message = f"{what[0].upper()}{what[1:]} is not gone yet. {error.message}"
            error.hint = f"{error.hint or ''}\n`ollama-cli keys rotate` then finishes it.".strip()
            raise
        self._tell_end(ended, what)
        self._answer_rotated(new, account=account, rotated=True, old=old, ended=ended)

    def _tell_end(self, ended: Ended, what: str) -> None:
        """Say what became of a key; one that may be on an account without being here, also where a script reads."""
        from ollama_cli.account.rotation import Ended

        (self._context.streams.say if ended is Ended.LOST else self._tell)(told(ended, what))

    def _tell(self, text: str) -> None:
        if not self._options.as_json:
            self._context.streams.say(clean_line(text))

    def _answer_rotated(
        self,
        new: KeyRecord | None = None,
        *,
        account: Account | None = None,
        rotated: bool = False,
        rotation: str | None = None,
        new_fingerprint: str | None = None,
        old: KeyRecord | None = None,
        ended: Ended | None = None,
        signin_url: str | None = None,
    ) -> None:
        self._answer(
            rotated=rotated,
            rotation=rotation,
            account=account.name if account else None,
            new_fingerprint=fingerprint_of(new.public_key) if new else new_fingerprint,
            old_fingerprint=fingerprint_of(old.public_key) if old else None,
            old_key=ended,
            signin_url=signin_url,
        )

    def _answer(self, **facts: str | bool | None) -> None:
        if self._options.as_json:
            self._context.streams.answer(json.dumps(facts))
