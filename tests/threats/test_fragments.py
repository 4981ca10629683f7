"""Ten characters in a row of a secret are the secret: in messages, answers, errors, turns and exports."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.threats.test_leaks import CODES, DISGUISES, HARMLESS
from workflow.machine import leaks
from workflow.machine.leaks import UNDECIDED, Secrets
from workflow.machine.messages import Part
from workflow.service.key import REDACTED, redact

KEY = "sk-ag-7Qz81xPt7Wm44RnVd"
TASK = "task_83e9be412651d977de39222a"
TOKEN = "tk_5f0c2a9e77b1d04c8e63aa10"
URL = f"https://www.anygen.io/task/{TASK}"
CUTS: dict[str, Callable[[str], str]] = {
    "whole": str,
    "without the first": lambda secret: secret[1:],
    "without the last": lambda secret: secret[:-1],
    "without both": lambda secret: secret[1:-1],
    "without its prefix": lambda secret: secret[6:],
    "the first ten": lambda secret: secret[:10],
    "the last ten": lambda secret: secret[-10:],
    "ten from the middle": lambda secret: secret[7:17],
}
EACH_CODE = {**DISGUISES, **CODES}
ALL = Secrets((TASK, TOKEN), KEY, (), (URL,))


@pytest.mark.rule("R11", "R17")
@pytest.mark.parametrize("cut", CUTS)
def test_a_piece_of_a_secret_is_found_in_every_disguise(cut: str) -> None:
    """Each cut of the key, an id and a token, in each disguise and code, by whoever: not said."""
    missed = []
    for secret in (KEY, TASK, TOKEN):
        for code, disguised in EACH_CODE.items():
            text = disguised(CUTS[cut](secret))
            if not leaks.find([Part("Here: "), Part(text, "verbatim")], ALL):
                missed.append((secret, code))
    assert missed == []


@pytest.mark.parametrize("code", [each for each in EACH_CODE if each != "tags in entities"])
@pytest.mark.parametrize("cut", CUTS)
def test_a_piece_of_the_key_is_redacted_in_every_disguise(cut: str, code: str) -> None:
    """What is left holds no ten characters of it in any disguise; the rest of the text stays."""
    shown = redact(f"Your plan: {EACH_CODE[code](CUTS[cut](KEY))} , as agreed.", KEY)
    assert REDACTED in shown
    assert shown.startswith("Your plan: ") and shown.endswith(", as agreed.")
    assert leaks.find([Part(shown, "verbatim")], Secrets((), KEY, (), ())) == []
    assert redact(shown, KEY) == shown


def test_nine_characters_are_no_secret() -> None:
    """A shorter piece is a piece of anything."""
    assert leaks.find([Part(f"{KEY[:9]} and {TASK[:9]} and {TOKEN[-9:]}", "text")], ALL) == []
    assert redact(f"begins with {KEY[:9]}", KEY) == f"begins with {KEY[:9]}"


@pytest.mark.rule("R29")
@pytest.mark.parametrize("text", HARMLESS)
def test_nothing_harmless_is_redacted(text: str) -> None:
    """Texts in a dozen languages come back as they were."""
    assert redact(text, KEY) == text
    assert redact(text, "sk-sandbox-0000000000000000") == text


@pytest.mark.parametrize("code", EACH_CODE)
@pytest.mark.parametrize("secret", [KEY, KEY[1:], TOKEN, TOKEN[:-1]])
def test_a_link_may_hold_its_own_id_and_no_other_secret(secret: str, code: str) -> None:
    """The exact link as the service gave it, with the key or another token in it, in every disguise."""
    url = f"{URL}?next={EACH_CODE[code](secret)}"
    assert leaks.find([Part("See "), Part(url, "url")], Secrets((TASK, TOKEN), KEY, (), (url,)))
    assert leaks.find([Part("See "), Part(URL, "url")], ALL) == []


def test_a_link_with_two_ids_has_no_id_of_its_own() -> None:
    """Which of them is its own cannot be told, so that it is said with neither."""
    url = f"https://www.anygen.io/{TOKEN}/{TASK}"
    assert leaks.find([Part(url, "url")], Secrets((TASK, TOKEN), KEY, (), (url,))) == ["an internal id"]


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("processing_refund", "It is still processing.", False),
        ("processing_refund", "It is in processing_refund.", True),
        ("processing_refund", "rocessing_refun", True),
        ("2026-11-30T06:03:38Z", "See you on 2026-11-30.", False),
        ("2026-11-30T06:03:38Z", "It was 2026-11-30T06:03:38Z.", True),
        ("https://files.example/a/9f3c1b7a2d4e6f80", "See https://files.example/help.", False),
        ("https://files.example/a/9f3c1b7a2d4e6f80", "It is 9f3c1b7a2d4e6f8.", True),
        ("ask the clerk about 9f3c1b7a2d4e6f80", "Please ask the clerk about it.", False),
        ("ask the clerk about 9f3c1b7a2d4e6f80", "It is f3c1b7a2d4e6f80.", True),
        ("correcthorsebatterystaple", "recthorsebatterysta", True),
        ("内部编号甲乙丙丁戊己庚辛壬癸子丑", "编号：丙丁戊己庚辛壬癸子丑。", True),
        ("12345678", "Call 12345678.", True),
        ("12345678", "Call 1234567.", False),
    ],
)
def test_what_of_an_internal_value_tells_it(value: str, text: str, found: bool) -> None:
    """A word, a date or a host tells nothing; any other ten characters do, and short values count as a whole."""
    assert bool(leaks.find([Part(text, "verbatim")], Secrets((value,), "", (), ()))) == found


@pytest.mark.parametrize(
    "text",
    [
        *("&#" + "1" * 5_000 + ";", "&#" + "0" * 5_000 + "115;", "&#x" + "f" * 5_000 + ";", "&" * 5_000),
        *("%25" * 5_000, "%" + "25" * 5_000 + "41", "&amp;" * 3_000, "&" + "amp;" * 3_000, "<" * 20_000),
        *("\ufdfa" * 20_000, "\ufdfa\ufdfb" * 10_000, "\ud800" * 5_000, "\\ud800" * 5_000, "\\u{110000}" * 3_000),
        *("\\" * 20_000, "\u0301" * 20_000, "\U000e0041" * 5_000, "\ufe0f" * 5_000, "".join(map(chr, range(0x3000)))),
    ],
)
def test_a_text_made_to_break_the_check_is_checked(text: str) -> None:
    """No text makes it raise, and the time is in proportion to that of a plain text: a secret beside it is found."""
    begun = time.process_time()
    assert leaks.find([Part(text, "verbatim")], ALL) in ([], [UNDECIDED])
    assert leaks.find([Part(f"{text} {KEY[1:]}", "verbatim")], ALL) in (["the key"], [UNDECIDED])
    assert KEY[1:] not in redact(f"{text} {KEY[1:]}", KEY)
    assert time.process_time() - begun < 5


def test_a_code_deeper_than_anybody_reads_cannot_be_checked() -> None:
    """Percent signs in percent signs, a hundred deep: not said; eight deep, it is read."""
    deep = "%" + "25" * 100 + "73"
    assert leaks.find([Part(deep, "verbatim")], ALL) == [UNDECIDED]
    shallow = KEY
    for _ in range(6):
        shallow = "".join(f"%{ord(char):02x}" if char in "s%" else char for char in shallow)
    assert leaks.find([Part(shallow, "verbatim")], ALL) == ["the key"]


def test_what_is_looked_for_is_in_no_trace() -> None:
    """A record of what is looked for does not show it."""
    assert KEY not in repr(ALL) and TASK not in repr(ALL).replace(URL, "")
