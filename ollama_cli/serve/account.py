"""What is asked about the account: who is signed in, and taking a device off it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from ollama_cli.account.signout import Outcome, take_off
from ollama_cli.api.account import Account
from ollama_cli.credentials.public_key import decode_public_key, encode_public_key
from ollama_cli.errors import CliError, SignInError, UnavailableError
from ollama_cli.serve.refusals import RefusedError, json_answer
from ollama_cli.serve.servers import Cloud, Onward, whole
from ollama_cli.transport.limits import FOR_AN_ACCOUNT

if TYPE_CHECKING:
    from ollama_cli.api.client import OllamaClient
    from ollama_cli.credentials.credential import Active, StoredKey
    from ollama_cli.credentials.wallet import Wallet

_LONGEST = 1024 * 1024
_NOT_SIGNED_IN = "you are not currently signed in"


@dataclass(frozen=True)
class Devices:
    """What signs devices out.

    Attributes:
        wallet: Has this device's key.
        key_name: The name that it has there.
        client: Makes a client for the cloud with a credential.
        note_signed_in: Called with a credential that was seen on an account.
    """

    wallet: Wallet
    key_name: str
    client: Callable[[Active], OllamaClient]
    note_signed_in: Callable[[Active], None]


async def me(cloud: Cloud, devices: Devices) -> dict[str, Any]:
    """Who is signed in, as ``/api/me`` tells it.

    Raises:
        RefusedError: 401 with the link, nobody is; 503, that could not be asked.
    """
    try:
        response, signed = await cloud.open_signed(Onward("POST", "/api/me", limits=FOR_AN_ACCOUNT))
        body = await whole(response, _LONGEST)
        if response.status_code == HTTPStatus.OK:
            content = msgspec.json.decode(body)
            account = Account.from_answer(content)
        elif response.status_code == HTTPStatus.UNAUTHORIZED:
            account = None
        else:
            raise RefusedError(503, "account unavailable")
    except (CliError, ValueError, RecursionError) as error:
        raise RefusedError(503, "account unavailable") from error
    if account is None:
        raise RefusedError(401, "unauthorized", signin_url=signed.link)
    await asyncio.to_thread(devices.note_signed_in, signed.active)
    return {**content, "plan": account.plan}


async def sign_out(devices: Devices) -> Response:
    """Take this device off the account, and forget its key.

    Raises:
        RefusedError: 401, it was on none.
        CliError: The cloud could not be asked, or the key not be forgotten.
    """
    await asyncio.to_thread(_take_off_own, devices)
    return json_answer(None)


async def remove(encoded: str, cloud: Cloud, devices: Devices) -> Response:
    """Take the device off the account whose key is named: this one, or another.

    Args:
        encoded: The key as it stands in the path.
        cloud: Has the credential.
        devices: What signs devices out.

    Raises:
        RefusedError: It is no key, or the cloud does not take it off.
        CliError: The cloud could not be asked.
    """
    public_key = decode_public_key(encoded)
    if public_key is None:
        raise RefusedError(400, "that is no key of a device")
    record = await asyncio.to_thread(devices.wallet.record, devices.key_name)
    if record is not None and record.public_key == public_key:
        return await sign_out(devices)
    signed = await cloud.signer.current()
    try:
        await asyncio.to_thread(_take_off, devices, signed.active, public_key)
    except SignInError as error:
        raise RefusedError(401, _NOT_SIGNED_IN, signin_url=signed.link) from error
    except CliError as error:
        if error.http_status is None or isinstance(error, UnavailableError):
            raise
        raise RefusedError(error.http_status, error.server_words or "there was an error signing out") from error
    return json_answer(None)


def _take_off(devices: Devices, active: Active, public_key: str) -> None:
    devices.client(active).revoke_key(encode_public_key(public_key))


def _take_off_own(devices: Devices) -> None:
    stored: StoredKey | None = devices.wallet.find(devices.key_name)
    if stored is None:
        raise RefusedError(401, _NOT_SIGNED_IN)
    outcome = take_off(devices.client(stored), devices.wallet, devices.key_name, stored.credential)
    if outcome is Outcome.NOT_SIGNED_IN:
        raise RefusedError(401, _NOT_SIGNED_IN)
