"""What a passkey signs, as it is published, and which pages can ask for it."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from tests.passkeys import Authenticator
from workflow.local.passkeys import relying_party
from workflow.model.digest import digest
from workflow.model.errors import UsageError
from workflow.model.signature import Signature, challenge, code_of, coded, fingerprint, plain

SIGNATURE = Signature("phone", "https://approve.example.org", "a2V5", "", "", "")


def test_what_is_signed_is_the_published_form() -> None:
    """The docs give the form, so that anybody can make the challenge again."""
    code = code_of("ab" * 32, "approve", "mona", ("2027-01-15T08:00:00.000Z",))
    assert code == digest(["ab" * 32, "approve", "mona", "2027-01-15T08:00:00.000Z"])[:32]
    signed = hashlib.sha256(f"phasegate-approval/1|amber-fox|manager_ok|{code}|{'0' * 64}".encode()).digest()
    assert plain(challenge("amber-fox", "manager_ok", code, ["0" * 64])) == signed
    several = digest(["1" * 64, "2" * 64])
    assert challenge("a-b", "g", code, ["1" * 64, "2" * 64]) == challenge("a-b", "g", code, [several])


def test_no_part_of_a_code_stands_for_another() -> None:
    """Each part makes another code, and so does its absence."""
    whole = ("opened", "event", "who", ("then",))
    codes = {code_of(*whole), code_of("opened", "event", "who"), code_of("opened", "event", "then")}
    codes |= {code_of("other", *whole[1:]), code_of("opened", "other", *whole[2:])}
    codes |= {code_of("opened", "event", "other", ("then",)), code_of("opened", "event", "who", ("then", "then"))}
    assert len(codes) == 7


def test_one_spelling_of_bytes_is_taken() -> None:
    """What two readers could read differently is refused."""
    for content in (b"", b"a", b"ab", b"abc", bytes(range(256))):
        assert plain(coded(content)) == content
    for odd in ("YQ==", "YQ=", "YR", "Y Q", "YQ\n", "Y", "a+b/", "é", "YWI*"):
        with pytest.raises(ValueError):
            plain(odd)


@pytest.mark.parametrize(
    "said", ["", "no JSON", "[]", "{}", '{"challenge": 1}', '{"challenge": "a", "challenge": "b"}']
)
def test_what_says_nothing_signs_nothing(said: str) -> None:
    """A challenge is a text in an object, once."""
    made = Signature(**{**SIGNATURE.as_json(), "client_data": coded(said.encode()), "subjects": ()})
    assert made.challenge == ""


def test_a_fingerprint_is_of_the_key_alone() -> None:
    """Twenty digits in groups; none for what is no key, so that nobody holds it."""
    one, other = Authenticator(), Authenticator()
    assert fingerprint(coded(one.key)) != fingerprint(coded(other.key))
    digits = hashlib.sha256(one.key).hexdigest()[:20]
    assert fingerprint(coded(one.key)).replace("-", "") == digits and len(fingerprint(coded(one.key))) == 24
    assert fingerprint("not a key!") == ""


@pytest.mark.parametrize("change", [{"key": 1}, {"subjects": [1]}, {"more": ""}, {"client_data": None}])
def test_a_signature_that_nobody_wrote_is_none(change: dict[str, object]) -> None:
    """As it stands in a journal, or not at all."""
    assert Signature.from_json(json.loads(json.dumps(SIGNATURE.as_json()))) == SIGNATURE
    with pytest.raises((ValueError, TypeError)):
        Signature.from_json({**SIGNATURE.as_json(), **change})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://approve.example.org", "approve.example.org"),
        ("https://approve.example.org:8443", "approve.example.org"),
        ("http://localhost:8766", "localhost"),
        ("https://localhost", "localhost"),
    ],
)
def test_a_name_is_a_relying_party(origin: str, host: str) -> None:
    """With TLS, or on this machine."""
    assert relying_party(origin) == host


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8766",
        "https://127.0.0.1",
        "https://192.168.1.7:8443",
        "https://[::1]",
        "http://[::1]:8766",
        "http://approve.example.org",
        "https://approve",
        "https://",
        "localhost:8766",
        "ftp://localhost",
        "https://approve.example.org/",
        "https://Approve.example.org",
        "https://approve.example.org:443",
        "http://localhost:80",
        "https://ann@approve.example.org",
        "https://approve.example.org:99999",
        "https://approve.exämple.org",
        "",
    ],
)
def test_what_is_no_name_can_hold_no_passkeys(origin: str) -> None:
    """An address, a name without TLS, and what no browser calls a page: said with what would do."""
    with pytest.raises(UsageError) as refused:
        relying_party(origin)
    assert refused.value.hint


def test_base64_of_the_library_would_be_lenient() -> None:
    """Why :func:`plain` is there: this is another text with the same bytes."""
    assert base64.urlsafe_b64decode("Y*Q===") == base64.urlsafe_b64decode("YQ===")
