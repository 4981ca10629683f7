"""Passkeys: what a browser is asked for, and whether what it sends back is what it says. The only importer of webauthn.

Nothing is loaded before a browser asks for it, or a signature is there to be checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from workflow.local.approvers import Approvers, Device
from workflow.model.errors import UsageError
from workflow.model.signature import LONGEST, UNSIGNED, Assertion, Signature, coded, plain
from workflow.model.strict_json import JsonError, read_json

TITLE = "Phasegate"
_LOOPBACK = "localhost"
"""The one host that a browser takes for secure without TLS."""
_NO_NAME = "Use a name with TLS, such as https://approve.example.org, or http://localhost on this machine."
_PORTS = {"https": 443, "http": 80}
_NO_PACKAGE = "the extra `web` is not installed here, and its package checks signatures"
_AGAIN = "Look at the page again, and try once more."
_WHY = {
    "challenge": "it was made for something else",
    "origin": "it was made on another page",
    "RP ID": "it was made for another page",
    "not present": "nobody touched the device",
    "verification": "the device did not check who touched it",
    "authentication signature": "its key has not made it",
    "client data type": "it was made for something else",
}
"""What the library says of a signature that does not hold → in words."""
_UNREADABLE = "it cannot be read"
_COUNTER = slice(33, 37)
"""Where the counter stands in what an authenticator sends, after a digest of 32 bytes and the flags."""


def relying_party(origin: str) -> str:
    """The relying party of a page at ``origin``: its host. Raises :class:`UsageError` for what can be none."""
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"{origin[:80]!r} is not the address of a page", _NO_NAME) from None
    whole = f"{parts.scheme}://{host}{f':{port}' if port else ''}"
    named = host == _LOOPBACK or ("." in host and ":" not in host and not host[-1:].isdigit())
    if not named:
        raise UsageError(f"{origin[:80]!r} can hold no passkeys: browsers sign for names, not for addresses", _NO_NAME)
    if parts.scheme != "https" and (parts.scheme, host) != ("http", _LOOPBACK):
        raise UsageError(f"{origin[:80]!r} can hold no passkeys: browsers sign for pages with TLS alone", _NO_NAME)
    if whole != origin or port == _PORTS[parts.scheme] or not host.isascii():
        raise UsageError(
            f"{origin[:80]!r} is not written as a browser writes it", f"Write {whole}." if port else _NO_NAME
        )
    return host


def creation_options(origin: str, approver: str, challenge: bytes, known: Iterable[Device]) -> dict[str, Any]:
    """What ``navigator.credentials.create`` needs, as JSON, for a passkey of an approver who has ``known`` ones."""
    from webauthn import generate_registration_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=relying_party(origin),
        rp_name=TITLE,
        user_name=approver,
        user_id=f"{TITLE} {approver}".encode(),
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(plain(each.credential)) for each in known],
    )
    return options_to_json_dict(options)


def created(origin: str, challenge: bytes, response: Mapping[str, Any]) -> tuple[str, str]:
    """The credential and the public key of a passkey that a browser has made; raises :class:`UsageError` for others."""
    from webauthn import verify_registration_response

    try:
        found = verify_registration_response(
            credential=dict(response),
            expected_challenge=challenge,
            expected_rp_id=relying_party(origin),
            expected_origin=origin,
            require_user_verification=True,
        )
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"this passkey cannot be used: {_told(error)}", _AGAIN) from None
    return coded(found.credential_id), coded(found.credential_public_key)


def request_options(origin: str, challenge: str, known: Iterable[Device]) -> dict[str, Any]:
    """What ``navigator.credentials.get`` needs, as JSON, to have one of these devices sign a challenge."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=relying_party(origin),
        challenge=plain(challenge),
        allow_credentials=[PublicKeyCredentialDescriptor(plain(each.credential)) for each in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def device_of(approvers: Approvers, approver: str | None, assertion: Assertion) -> Device | None:
    """The approver's device that an assertion names; None for that of anybody else."""
    known = next((each for each in approvers.known() if each.name == approver), None)
    devices = known.devices if known else ()
    return next((each for each in devices if each.credential == assertion.credential), None)


def signed(approvers: Approvers, approver: str | None, assertion: Assertion | None) -> Signature | str:
    """The signature of a confirmed device of this approver; or why it is none, in words."""
    if assertion is None or approver is None:
        return UNSIGNED
    device = device_of(approvers, approver, assertion)
    if device is None:
        return f"this passkey is not one of '{approver}'"
    if device.confirmed is None:
        return "nobody has confirmed the fingerprint of this passkey with their passphrase"
    return checked(approvers, approver, device, assertion)


def checked(approvers: Approvers, approver: str, device: Device, assertion: Assertion) -> Signature | str:
    """The signature that this device made, confirmed or not; or why it is none. Its counter is kept."""
    signature = Signature(
        device.name,
        device.origin,
        device.key,
        assertion.client_data,
        assertion.authenticator_data,
        assertion.signature,
    )
    why = why_not(signature)
    if why:
        return why
    counter = int.from_bytes(plain(assertion.authenticator_data)[_COUNTER])
    if not approvers.count(approver, device, counter):
        return "its counter did not go on, so that a copy of the passkey may be in use"
    return signature


def why_not(signature: Signature) -> str:
    """Why the key has not signed what the signature says, at its origin and by a touch; empty if it has."""
    try:
        from webauthn import verify_authentication_response
    except ImportError:
        return _NO_PACKAGE
    texts = (signature.client_data, signature.authenticator_data, signature.signature)
    try:
        if any(len(each) > LONGEST for each in texts) or _framed(signature):
            return _UNREADABLE
        content = {
            "clientDataJSON": coded(plain(signature.client_data)),
            "authenticatorData": coded(plain(signature.authenticator_data)),
            "signature": coded(plain(signature.signature)),
        }
        verify_authentication_response(
            credential={"id": "", "rawId": "", "type": "public-key", "response": content},  # the key alone counts
            expected_challenge=plain(signature.challenge),
            expected_rp_id=relying_party(signature.origin),
            expected_origin=signature.origin,
            credential_public_key=plain(signature.key),
            credential_current_sign_count=0,  # `Approvers.count` compares it with the last one
            require_user_verification=True,
        )
    except Exception as error:  # whatever is odd about it, it is no signature
        return _told(error)
    return ""


def _framed(signature: Signature) -> bool:
    """Whether the touch was asked for within a page of somebody else, or cannot be told."""
    try:
        said = read_json(plain(signature.client_data))
    except JsonError:
        return True
    return not isinstance(said, dict) or said.get("crossOrigin", False) is not False


def _told(error: Exception) -> str:
    said = str(error)
    return next((words for mark, words in _WHY.items() if mark in said), _UNREADABLE)
