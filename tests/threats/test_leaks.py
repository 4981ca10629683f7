"""The leak check against a corpus: everything forbidden in every disguise is found, and nothing harmless is."""

from __future__ import annotations

import base64
import html
import random
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from workflow.bundle import open_bundle
from workflow.machine import leaks
from workflow.machine.leaks import Secrets
from workflow.machine.messages import OURS, Part

REFERENCE = Path(__file__).parents[2]
KEY = "sk-ag-7Qz81xPt7Wm44RnVd"
TASK = "task_83e9be412651d977de39222a"
URL = f"https://www.anygen.io/task/{TASK}"
VALUES = (
    *(TASK, "tk_5f0c2a9e77b1d04c8e63aa10", "ps_0b7d3e91c24f58a6d0e1f2a3", "1849372650918273645"),
    "a1b2c3d4-e5f6-47a8-9b0c-d1e2f3a4b5c6",
)
IDS = [
    *VALUES,
    *(f"Your image {TASK} is ready.", f"(reference: {TASK}, {VALUES[1]})", f"https://elsewhere.invalid/?id={TASK}"),
    *(f"编号{VALUES[2]}已生成", f"{URL}\n{TASK}", f"x{VALUES[3]}x", KEY, f"authorised with {KEY}", KEY[:10]),
    f"Your key begins with {KEY[:10]}…",
]
WORDS = [
    *("task_id", "task_ids", "Your task_id is here.", "task_url", "task_status", "task_abc123", "tk_abc123"),
    *("file_token", "file_tokens", "the file_token: kept", "message_id", "message_ids", "prepare_id", "(task_id)"),
    *("anygen.py", "I ran anygen.py for you.", "scripts/", "conversation.json", "“conversation.json”"),
    *("sessions_spawn", "sessions_spawn runs now", "sub-agent", "sub-agents", "A sub-agent's work.", "subagent"),
    *("subagents", "background process", "background processes", "A background process."),
    *("background\u00a0process", "background  process", "background\nprocess", "sub\u2011agent", "sub\u2010agent"),
    *("您的task_id是", "我的sub-agent已启动", "文件的file_token已保存", "请看conversation.json。"),
]
PATHS = [
    *("/home/ana/ref.png", "~/.config/anygen/config.json", "../secret/key.txt", "/etc/passwd", "./out/image.svg"),
    *("C:\\Users\\ana\\ref.png", "Saved to /tmp/result.png for you.", "(/var/lib/x)", "「/root/desktop/x.png」"),
    *("c:\\temp\\x.png", "/Users/ana/Desktop/ref.png", "已保存到 /srv/data/x 中"),
]
COMMANDS = [
    *("workflow advance amber-fox approve", "workflow status", "workflow-admin api poll", "`workflow watch amber-fox`"),
    *("python3 tool.py", "python tool.py go", "Use --task here.", "add --json", "workflow resume", "workflow start"),
]
FORBIDDEN = [*IDS, *WORDS, *PATHS, *COMMANDS]


def _made_up() -> list[str]:
    """Ids and tokens as services make them, the same at each run."""
    chance = random.Random(20260101)
    hexes = [f"{prefix}{chance.randbytes(12).hex()}" for prefix in ("task_", "tk_", "ps_", "") for _ in range(10)]
    words = "ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz0123456789"
    mixed = ["f-" + "".join(chance.choices(words, k=20)) + str(n) for n in range(12)]
    return [*hexes, *mixed, *(str(chance.randrange(10**9, 10**19)) for _ in range(12))]


MADE_UP = _made_up()


def _wide(text: str) -> str:
    """In full-width forms, which look alike and are other characters."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _invisible(text: str) -> str:
    """With characters between the letters that nobody sees."""
    marks = ("\u200b", "\u2060", "\u00ad", "\ufeff", "\u200d")
    return "".join(char + marks[place % len(marks)] for place, char in enumerate(text))


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _alike(text: str) -> str:
    """In letters of other alphabets, where there are any that look the same."""
    return text.translate(str.maketrans("aceopsxyidTKAE", "асеорѕхуіԁТКАЕ"))


def _tagged(text: str) -> str:
    """In Unicode's invisible tag characters, which a person does not see at all and a model reads."""
    return "".join(chr(0xE0000 + ord(char)) if " " <= char <= "~" else char for char in text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "full width": _wide,
    "zero width": _invisible,
    "upper case": str.upper,
    "percent": _percent,
    "entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "hexadecimal entities": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "named entities": lambda text: html.escape(text).replace("_", "&lowbar;").replace("-", "&hyphen;"),
    "Markdown escapes": lambda text: text.replace("_", "\\_").replace("-", "\\-").replace(".", "\\."),
    "emphasis": lambda text: text[:3] + "**" + text[3:6] + "**" + text[6:],
    "struck out": lambda text: f"{text[:2]}~~{text[2:4]}~~{text[4:]}",
    "percent twice": lambda text: _percent(_percent(text)),
    "percent thrice": lambda text: _percent(_percent(_percent(text))),
    "entities in percent signs": lambda text: _percent(html.escape("".join(f"&#{ord(char)};" for char in text))),
    "tags between": lambda text: "<b></b>".join(text),
    "comments between": lambda text: "<!-- , -->".join(text),
    "tags in entities": lambda text: html.escape("<i>x</i>".replace("x", "</i><i>".join(text))),
    "in an attribute": lambda text: f'<img alt="{html.escape(text)}">',
    "JSON escapes": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "braced escapes": lambda text: "".join(f"\\u{{{ord(char):x}}}" for char in text),
    "byte escapes": lambda text: "".join(f"\\x{ord(char):02x}" if char.isascii() else char for char in text),
    "look-alikes": _alike,
    "tag characters": _tagged,
}
"""How a forbidden text can be written and still be read: holds for words, paths and commands as well."""


def _base64(before: str) -> Callable[[str], str]:
    return lambda text: base64.b64encode((before + text).encode()).decode()


CODES: dict[str, Callable[[str], str]] = {
    "backwards": lambda text: text[::-1],
    "hex": lambda text: text.encode().hex(),
    "upper hex": lambda text: text.encode().hex().upper(),
    "spaced hex": lambda text: text.encode().hex(" "),
    "hex with colons": lambda text: text.encode().hex(":"),
    **{f"base64 at {len(before)}": _base64(before) for before in ("", "x", "xy")},
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in lines": lambda text: "\n".join(_base64("")(text)[at : at + 8] for at in range(0, 2 * len(text), 8)),
    "base64 in percent signs": lambda text: _percent(_base64("")(text)),
    "spaced out": " ".join,
    "dotted": ".".join,
    "with hyphens": "-".join,
    "line by line": "\n".join,
    "in a table": " | ".join,
    "in Chinese commas": "、".join,
    "accented": "\u0301".join,
    "in quotes": lambda text: " ".join(f"“{char}”" for char in text),
    "spaced out in look-alikes": lambda text: " ".join(_alike(text)),
}
"""How an id or the key can be handed on besides, for somebody to put together again."""
HARMLESS = [
    "Your image is ready! You can view and download it here: " + URL,
    URL,
    f"({URL})",
    f"[See it here]({URL})",
    f"您可在此查看进度:{URL}",
    f"Look here: {URL}. It takes about 5–10 minutes.",
    "Get one here: [Get your AnyGen API Key](https://www.anygen.io/home?auto_create_openclaw_key=1)",
    "It takes about 5–10 minutes, so you're free to do other things.",
    "The task is done, and so are both other tasks.",
    "This task takes a while; the tasks after it are quick.",
    "A token of thanks for your patience.",
    "Your file is larger than 50 MB.",
    "The background is darker now, and the process was quick.",
    "I have put the moon in the background. Process colours look best.",
    "A secret agent and a subway are on the poster.",
    "Sub agents of the tourist office will like it.",
    "AnyGen is receiving too many requests right now.",
    "AnyGen can do much more — slides, documents, diagrams, websites, research reports...",
    "Install the all-in-one skill: 👉 clawhub install anygen-skill",
    "Covers: PPT | Documents | Images | Diagrams | Websites",
    "Black/white, and/or red/blue/gold: your choice.",
    "Open 24/7 from 12/05/2026, 50% off, 9:30 a.m. – 4 p.m.",
    "Use a 3/4 portrait at 1920×1080, 16:9.",
    "c/o the gallery, w/o frame, n/a otherwise",
    "Please check its format (sk-…) and that it is complete.",
    "Tell me once the key is set, and I'll go on right where we are.",
    "Nothing is lost – just tell me -- or wait.",
    "Well-known, state-of-the-art, two-tone: all of these are fine.",
    "The workflow of a print shop starts with a proof.",
    "Our workflow starts tomorrow.",
    "A python coils around the tree; the sessions of the band spawn new songs.",
    "Write the script of the play in gold; manuscripts may stay as they are.",
    "The conversation goes on; so does the message.",
    "Message 5 of 10.",
    "I'd make it blue, with a 12 px border.",
    "One image, 3 files, 2 notes, 1 link.",
    "Please look in your AnyGen account.",
    "“Night Train” is ready to view and download.",
    "The price is $5; that's 5 % more.",
    "a_b is a variable in the picture of the blackboard",
    "Ask the task force about the multi-task lamp.",
    "The tk logo stays; tk. is short for tank.",
    "Use the hashtag #jazz_night, by @night_train.",
    "See https://example.org/a/b/c?d=e#f for the colours.",
    "Do: «more contrast», don't: “less light”.",
    "The letters a\u0308 and e\u0301 are composed; ﬁ is a ligature.",
    "I'll let you know when they're done. 😀👍🏽",
    "您的图片已生成完成!可在此查看并下载:" + URL,
    "预计耗时5-10分钟,可先进行其他操作。",
    "AnyGen没有接受您的密钥。请检查它的格式（应为sk-…）以及是否完整。",
    "您也可以在此获取新的密钥：[获取您的AnyGen密钥](https://www.anygen.io/home?auto_create_openclaw_key=1)",
    "红/白/蓝三色均可，24/7营业。",
    "背景更暗一些，流程很快。",
    "任务完成了，消息也发出去了。",
    "文件超过了50MB，无法上传。",
    "特工与地铁出现在海报上。",
    "之前的内容都还在：稍后告诉我一声，我会再试一次。",
    "可以按这个方案开始生成吗？还是您想做些调整？",
    "涵盖功能:PPT | 文档 | 图片 | 图表 | 网站",
    "编号5，共10条。",
    "请用您自己的话再多说一些（例如：颜色、风格）。",
    "价格是￥5，优惠５％。",
    "标题《夜行列车》，作者：佚名。",
    "“直接生成”即可。",
    "Ask, and boxes of brass instruments will fill the stage.",
    "I ask sandbox builders first, then the boxers.",
    "The task ID card of the hero hangs on a lanyard.",
    "Message: id est, that is, a short one.",
    "A file, token in hand, walks past the gate.",
    "S P A C E D letters suit the title, as in J A Z Z.",
    "N.I.G.H.T. T.R.A.I.N. in dots, or in-hy-phens.",
    "Call 0800 123 4567 or write before 31-12-2026.",
    "ISBN 978-3-16-148410-0, and 4 007 630 copies.",
    "Colours #ff8800, #0a0b0c and #FFFFFF; or rgb(255, 136, 0).",
    "RGB ff 88 00 de ad be ef looks like hex and is none of ours.",
    "A palindrome: “Never odd or even”; level, radar, civic.",
    "If x < y and y > z, the middle one is tallest.",
    "Use <b>bold</b> for the title, and <i>italics</i> below.",
    "100% cotton, 50%20 is no number, %s neither.",
    "R&B, Q&A; AT&T; salt &amp; pepper &lt;3",
    "C:\\ is a smiley with a hat.",
    "~~Old~~ **new** `monospace` *slanted* __underlined__",
    "The café's naïve façade: déjà vu, à la carte, Zürich, Ångström.",
    "Der Kurs ist schön; die Größe stimmt, die Straße auch.",
    "Афиша джазового вечера: тёплые тона, саксофон и ночь.",
    "Αφίσα για μια νύχτα τζαζ, σε μπλε και χρυσό.",
    "ジャズの夜のポスター。青と金、ゆったりした文字。",
    "재즈의 밤 포스터, 파란색과 금색.",
    "ملصق لليلة جاز بالأزرق والذهبي",
    "SGVsbG8= is how some write hello.",
    "aHR0cHM6Ly9leGFtcGxlLm9yZw== leads to an example.",
    "The poster says: 01001010 01000001 01011010 01011010.",
    "A QR code of https://example.org/?q=%E7%9B%B8 in the corner.",
    "Bring the lamp -- the big one -- closer to the piano.",
    "The script/prose ratio is fine and/or good/bad/ugly.",
    "Python, workflow and sub-zero are words on the blackboard.",
    "“Sub-title”, “agent provocateur” and “background music” stay.",
    "It was a long process; the background stayed white.",
    "A status symbol, a poll on the wall, an API-shaped cloud.",
    "He plays the 2nd, 3rd and 4th sax, then 5/4 time, then 7/8.",
    "1⁄2 cup of blue, 3∕4 of gold; 5–10 – or 12 − 2 – drops.",
    "Tokens: 3 wooden, 4 brass. Keys: C, G, F♯.",
    "The key of the piece is B flat; the key to it is patience.",
    "Keep 9:16 for phones, 1080x1920, 300 dpi, 2.5 MB at most.",
    "v2 of the plan – see points 1.1, 1.2 and 2.",
    "a.b.c. d-e-f g_h_i j|k|l m/n",
    "海报上写着“爵士之夜”，时间是晚上八点半。",
    "请把背景调暗一点，标题放大到原来的1.5倍。",
    "配色：#1A2B3C 和 #FFD700；比例：9：16。",
    "电话 138-0013-8000，地址：南京路 88 号 3 楼。",
    "生成需要一些时间，您可以先忙别的。",
    "修改已经完成啦！还想再调整哪里吗？",
    "参考图已收到：暖色铜管、夜色、霓虹灯。",
    "“Ｊａｚｚ　Ｎｉｇｈｔ”用全角字母也可以。",
    "如果价格＜100元且尺寸＞A3，就选第二个。",
    "图中的二维码只是装饰，扫不出内容。",
    "进度：40％……60％……快好了！",
    "第①版和第②版都保留，③删去。",
    "代号“任务书”的画：一支笔、一张纸。",
    "令牌、钥匙、文件夹都是画里的道具。",
    "上/下/左/右 各留 2 厘米。",
]


HARMLESS += [
    "Привет! Ваш плакат готов: ночь, саксофон, тёплый свет. Изменить что-нибудь или оставить как есть?",
    "Συγχαρητήρια! Η αφίσα είναι έτοιμη. Θέλετε πιο έντονα χρώματα ή μεγαλύτερα γράμματα;",
    "أهلاً! الملصق جاهز الآن. هل تريد ألواناً أكثر دفئاً أو عنواناً أكبر؟ الساعة ١٠:٣٠ مساءً.",
    "こんにちは。ノートの表紙ができました。ロゴの色を少し明るくしますか？　ノミノイチの日付も入れます。",
    "שלום! הכרזה מוכנה. האם לשנות את הצבעים או להשאיר הכול כפי שהוא?",
    "नमस्ते! पोस्टर तैयार है। क्या रंग थोड़े गहरे कर दूँ, या ऐसे ही रहने दूँ? समय १०:०० बजे।",
    "สวัสดีค่ะ โปสเตอร์เสร็จแล้ว อยากให้ปรับสีหรือขยายชื่อเรื่องไหมคะ",
    "Xin chào! Áp phích đã xong. Bạn muốn đổi màu hay phóng to tiêu đề?",
    "Բարև։ Պաստառը պատրաստ է։ Փոխե՞լ գույները, թե՞ թողնել այսպես։",
    "გამარჯობა! პლაკატი მზადაა. შევცვალოთ ფერები თუ ასე დავტოვოთ?",
    "Zażółć gęślą jaźń, Łódź i Øresund: ćma, þorn, ðe, œuvre, ſtraſſe, ŉ.",
    "All in all, I'll fill the tall hall; the pail by the mill falls, the mail fails, 10 o'clock, 100 l.",
    "Budget: 10,000,000,000 or 0000000000, from 2026-11-30 to 2026-12-24.",
    "صفحه " * 40 + "۱۰۰۰۰۰۰۰۰۰",
    "任务完成了，背景已调亮，标题也更大了。" * 400,
]


@lru_cache(maxsize=1)
def secrets() -> Secrets:
    """What the reference bundle forbids, with these ids and this key, as a session of it has them."""
    definition = open_bundle(REFERENCE).definition
    names = [name for name in definition.of_type("internal") if "_" in name]
    return Secrets(VALUES, KEY, (*definition.never_say, *names), (URL,))


def test_the_corpora_are_large_enough() -> None:
    """Sixty forbidden texts and sixty ids, six disguises and more, a hundred harmless texts; nothing twice."""
    assert len(set(FORBIDDEN)) == len(FORBIDDEN) >= 60
    assert len(set(MADE_UP)) == len(MADE_UP) >= 60
    assert len(set(HARMLESS)) == len(HARMLESS) >= 100
    assert len(DISGUISES) >= 6 and len(CODES) >= 6


@pytest.mark.rule("R16", "R17", "R18")
@pytest.mark.parametrize("disguise", DISGUISES)
def test_nothing_forbidden_is_missed_in_our_own_words(disguise: str) -> None:
    """Ids, the key, field names, files, commands and processes, alone and within a sentence, in this disguise."""
    missed = []
    for forbidden in FORBIDDEN:
        hidden = DISGUISES[disguise](forbidden)
        for text in (hidden, f"All right. {hidden} Tell me more?", f"好的，{hidden}。"):
            if not leaks.find([Part(text)], secrets()):
                missed.append(text)
    assert not missed


@pytest.mark.rule("R11", "R17")
@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("origin", ["verbatim", "text", "files", "url", OURS])
def test_ids_and_the_key_are_found_whoever_says_them(disguise: str, origin: str) -> None:
    """The service's and the user's texts are exempt from words, never from ids or the key; across parts, too."""
    for forbidden in IDS:
        hidden = DISGUISES[disguise](forbidden)
        half = len(hidden) // 2
        assert leaks.find([Part("Here: "), Part(hidden, origin)], secrets()), hidden
        assert leaks.find([Part(hidden[:half], origin), Part(hidden[half:])], secrets()), hidden


@pytest.mark.rule("R11", "R17")
@pytest.mark.parametrize("code", [*DISGUISES, *CODES])
def test_no_id_and_no_key_is_missed_in_any_code(code: str) -> None:
    """Made-up ids and the key, in every disguise and code, alone and within a sentence, whoever wrote it."""
    coded = {**DISGUISES, **CODES}[code]
    looked_for = Secrets(tuple(MADE_UP), KEY, (), (URL,))
    missed = []
    for secret in [*MADE_UP, KEY, f"Bearer {KEY}", KEY[:10]]:
        for text in (coded(secret), f"Please note {coded(secret)} for later.", f"编号：{coded(secret)}。"):
            if not leaks.find([Part("Here: "), Part(text, "verbatim")], looked_for):
                missed.append(text)
    assert not missed


@pytest.mark.parametrize("code", [*DISGUISES, *CODES])
def test_a_link_in_a_code_is_not_the_exact_link(code: str) -> None:
    """The exempt link is exempt as it is, and not what holds the id in some other way."""
    found = leaks.find([Part({**DISGUISES, **CODES}[code](URL), "verbatim")], secrets())
    assert bool(found) == (code not in ("plain", "in an attribute"))


@pytest.mark.rule("R29")
@pytest.mark.parametrize("origin", [OURS, "verbatim"])
def test_nothing_harmless_is_found(origin: str) -> None:
    """Everyday sentences, numbers, links, names of the service, in both languages."""
    many = secrets().__class__((*VALUES, *MADE_UP), "sk-sandbox-0000000000000000", secrets().words, (URL,))
    for looked_for in (secrets(), many):
        found = {text: leaks.find([Part(text, origin)], looked_for) for text in HARMLESS}
        assert {text: what for text, what in found.items() if what} == {}


def test_a_message_of_a_mebibyte_is_checked_in_a_moment() -> None:
    """A service that fills its answer with codes within codes does not hold up the turn: the work is linear."""
    size = 2**20
    for piece in ("%2525", "&amp;", "<", "<a", "\\u0025", "~`*", "&lt;%3C", "\U000e0041", "a.", "//a"):
        begun = time.process_time()
        leaks.find([Part(piece * (size // len(piece)), "verbatim")], secrets())
        assert time.process_time() - begun < 10, piece


def test_words_are_free_in_the_texts_of_others() -> None:
    """A service that explains commands, or a user whose picture is about them, is not silenced."""
    for text in [*WORDS, *PATHS, *COMMANDS]:
        assert leaks.find([Part("Here: "), Part(text, "verbatim"), Part(" so."), Part(text, "text")], secrets()) == []


@pytest.mark.parametrize("text", [URL.upper(), f"{URL[:-1]}b", f"{URL}0", f"{URL}/{TASK}", f"{URL}?{TASK}", URL[8:]])
def test_only_the_exact_link_may_hold_the_id(text: str) -> None:
    """The link of a task holds its id; any other spelling of it, or a longer one, is not that link."""
    assert leaks.find([Part(f"Look: {text}", "verbatim")], secrets()) or text == f"{URL[:-1]}b"


def test_what_leaks_is_named_and_never_repeated() -> None:
    """The finding says which kind, and holds neither the id nor the key."""
    found = leaks.find([Part(f"{KEY} {TASK} task_id /etc/passwd workflow status")], secrets())
    assert found == ["the key", "an internal id", "the word task_id", "the word task_*", "a file path", "a command"]


def test_short_values_are_no_ids() -> None:
    """A message's id such as 5 is a number like any other."""
    assert leaks.values_of({"message_id": 5, "uploads": {"ab" * 32: "tk_1"}}, ["message_id", "uploads"]) == ("ab" * 32,)
