"""Authenticators of the tests' own: they make real passkeys (attestation `none`) and sign with them, as devices do."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

from workflow.model.signature import coded, plain

ORIGIN = "https://approve.example.org"
UP, UV, ATTESTED = 0x01, 0x04, 0x40
"""Flags: somebody touched it, it knows who, and a new key comes along."""


@dataclass
class Authenticator:
    """One device with one passkey; what it sends can be bent, part by part, before it is signed."""

    origin: str = ORIGIN
    flags: int = UP | UV
    counts: bool = False
    """Whether it has a counter; most devices send 0 always."""
    eddsa: bool = False
    counter: int = 0
    credential: bytes = field(default_factory=lambda: os.urandom(32))

    def __post_init__(self) -> None:
        self._key: Any = ed25519.Ed25519PrivateKey.generate() if self.eddsa else ec.generate_private_key(ec.SECP256R1())

    @property
    def key(self) -> bytes:
        """The public key, as COSE has it."""
        if self.eddsa:
            return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: self._key.public_key().public_bytes_raw()})
        point = self._key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})

    def create(self, options: Mapping[str, Any], **bent: Any) -> dict[str, Any]:
        """What ``navigator.credentials.create`` gives, as JSON."""
        made = struct.pack(">16sH", bytes(16), len(self.credential)) + self.credential + self.key
        data = self._data(options["rp"]["id"], ATTESTED, bent) + made
        said = self._client_data("webauthn.create", options["challenge"], bent)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential({"clientDataJSON": coded(said), "attestationObject": coded(attestation)})

    def get(self, options: Mapping[str, Any], **bent: Any) -> dict[str, Any]:
        """What ``navigator.credentials.get`` gives, as JSON.

        Of ``bent``, ``origin``, ``challenge``, ``type``, ``rp`` and ``flags`` are what it says instead, and ``said`` is
        more that it says.
        """
        self.counter += self.counts
        data = self._data(options["rpId"], 0, bent)
        said = self._client_data("webauthn.get", options["challenge"], bent)
        signed = self._sign(data + sha256(said).digest())
        return self._credential(
            {"clientDataJSON": coded(said), "authenticatorData": coded(data), "signature": coded(signed)}
        )

    def _data(self, party: str, more: int, bent: Mapping[str, Any]) -> bytes:
        party, flags = bent.get("rp", party), bent.get("flags", self.flags) | more
        return sha256(party.encode()).digest() + struct.pack(">BI", flags, self.counter)

    def _client_data(self, kind: str, challenge: str, bent: Mapping[str, Any]) -> bytes:
        said = {
            "type": bent.get("type", kind),
            "challenge": bent.get("challenge", challenge),
            "origin": bent.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps({**said, **bent.get("said", {})}, separators=(",", ":")).encode()

    def _sign(self, content: bytes) -> bytes:
        signed: bytes = self._key.sign(content) if self.eddsa else self._key.sign(content, ec.ECDSA(SHA256()))
        return signed

    def _credential(self, response: Mapping[str, Any]) -> dict[str, Any]:
        named = coded(self.credential)
        return {"id": named, "rawId": named, "type": "public-key", "response": dict(response)}


def flipped(text: str, byte: int = -1) -> str:
    """A text in base64url with one bit of one byte changed."""
    content = bytearray(plain(text))
    content[byte] ^= 1
    return coded(bytes(content))
