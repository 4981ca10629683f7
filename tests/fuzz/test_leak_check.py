"""Every text that reaches the leak check: it never raises, its work is bounded, and a cut secret is always found."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.threats.test_leaks import CODES, DISGUISES
from workflow.machine import leaks
from workflow.machine.leaks import UNDECIDED, Secrets
from workflow.machine.lookalikes import ROUNDS, Undecided, folded, readings
from workflow.machine.messages import Part
from workflow.model.characters import LONGEST_EXPANSION, compatible
from workflow.service.key import redact

ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
EACH_CODE = {**DISGUISES, **CODES}
ORIGINS = st.sampled_from(["ours", "verbatim", "text", "files", "url"])
MOST_READINGS = 1 + 4 * (ROUNDS + 4)
"""The text, and what each decoding of each round and each stripping made."""

secrets = st.text(ALPHABET, min_size=14, max_size=40).map(lambda text: f"tk_{text}7q")
references = st.builds(
    lambda digits, zeros, end: f"&#{'0' * zeros}{digits}{end}",
    st.one_of(st.integers(0, 0x11FFFF).map(str), st.integers(1, 6000).map(lambda size: "9" * size)),
    st.integers(0, 5000),
    st.sampled_from([";", "", "x"]),
)
nested = st.builds(lambda depth, end: "%" + "25" * depth + end, st.integers(0, 40), st.sampled_from(["73", "2", "%"]))
expanding = st.builds(lambda char, size: char * size, st.sampled_from("\ufdfa\ufdfb㌖㎯ﷲİŉǰ"), st.integers(1, 2000))
broken = st.sampled_from(["\ud800", "\udfff", "\\ud835\\udc60", "\\u{110000}", "\\x", "<", "<!--", "&", "&amp;amp;"])
noise = st.lists(st.one_of(references, nested, expanding, broken, st.text(max_size=20)), max_size=6).map(" ".join)


@given(noise, secrets, ORIGINS)
def test_no_text_makes_the_check_raise(text: str, secret: str, origin: str) -> None:
    """Whatever is said, by whoever: there is a list of findings, and redacting ends."""
    for found in leaks.find([Part(text, origin)], Secrets((secret,), secret[::-1], ("task_*",), (text,))):
        assert found
    assert isinstance(redact(text, secret), str)


@settings(max_examples=settings().max_examples // 3)
@given(noise, secrets, st.sampled_from(sorted(EACH_CODE)), st.data())
def test_a_cut_secret_is_found_wherever_it_stands(text: str, secret: str, code: str, data: st.DataObject) -> None:
    """Any ten characters of it or more, in any disguise, between any noise; or it cannot be checked."""
    begin = data.draw(st.integers(0, len(secret) - 10))
    end = data.draw(st.integers(begin + 10, len(secret)))
    piece = secret[begin:end]
    assume(len(set(piece.lower())) > 3)  # one character again and again is nobody's secret
    if code in CODES and not any(char.isdigit() for char in piece):
        piece = secret  # letters alone are not looked for taken apart
    whole = f"Here you are: {EACH_CODE[code](piece)} , as agreed."
    assert leaks.find([Part(whole, "verbatim")], Secrets((secret,), "", (), ())) == ["an internal id"]
    assert leaks.find([Part(whole, "verbatim")], Secrets((), secret, (), ())) == ["the key"]
    plain = f"{text} {piece} {text}"
    assert leaks.find([Part(plain, "text")], Secrets((secret,), "", (), ())) in (["an internal id"], [UNDECIDED])
    assert piece not in redact(plain, secret)


@given(noise)
def test_the_work_is_in_proportion_to_the_text(text: str) -> None:
    """No reading is longer than the text, there are few of them, and no form is many times as long."""
    try:
        found = readings(text)
    except Undecided:
        return
    assert len(found) <= MOST_READINGS
    assert all(len(each) <= len(text) for each in found)
    forms = [form for each in found for form in folded(each)]
    assert sum(map(len, forms)) <= 4 * MOST_READINGS * LONGEST_EXPANSION * (len(text) + 1)
    assert len(compatible(text)) <= LONGEST_EXPANSION * len(text)
