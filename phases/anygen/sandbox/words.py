"""What the sandbox understands of a wish: its language, the kind of picture, its subject, colours and changes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .speech import affirmed, meant, names_the_subject


@dataclass(frozen=True)
class Kind:
    """A kind of picture; ``width`` and ``height`` in units of the drawing."""

    name: str
    pattern: str
    chinese: str
    width: int = 800
    height: int = 800


_SHADE = r"(?:\b(?:deep|dark|light|pale|bright|soft|warm)\s+|[墨深浅嫩淡大米])?"


@dataclass(frozen=True)
class Colour:
    """A named colour: hue in degrees, saturation and lightness in percent."""

    name: str
    chinese: str
    pattern: str
    hue: int
    saturation: int
    lightness: int

    def found_in(self, text: str) -> re.Match[str] | None:
        """Where the text names this colour first, with its shade."""
        return re.search(_SHADE + self.pattern, text, re.IGNORECASE)


@dataclass(frozen=True)
class Effect:
    """A change that the drawing can show, and how the reply names it."""

    name: str
    pattern: str
    english: str
    chinese: str


KINDS = (
    Kind("poster", r"\bposters?\b|\baffiches?\b|\bplakate?\b|海报", "海报", 720, 1020),
    Kind("logo", r"\blogos?\b|标志|徽标|商标", "标志"),
    Kind("banner", r"\bbanners?\b|\bbannières?\b|横幅|横批", "横幅", 1200, 480),
    Kind("portrait", r"\bportraits?\b|肖像|头像|人像", "肖像", 720, 900),
    Kind("cover", r"\bcovers?\b|封面", "封面", 720, 1020),
    Kind("flyer", r"\bflyers?\b|\bleaflets?\b|传单|单页", "传单", 720, 1020),
    Kind("card", r"\bcards?\b|\binvitations?\b|贺卡|请柬|名片|邀请函", "卡片", 1000, 660),
    Kind("icon", r"\bicons?\b|图标", "图标"),
    Kind("wallpaper", r"\bwallpapers?\b|壁纸", "壁纸", 1200, 720),
    Kind("infographic", r"\binfographics?\b|信息图", "信息图", 720, 1020),
    Kind("illustration", r"\billustrations?\b|插画|插图", "插画", 960, 720),
)
IMAGE = Kind("image", r"", "图片", 960, 720)

COLOURS = (
    Colour("red", "红色", r"(?:\b(?:red|crimson|scarlet)\b|红色?(?!书))", 4, 74, 48),
    Colour("orange", "橙色", r"(?:\b(?:orange|amber)\b|橙色?)", 26, 86, 52),
    Colour("gold", "金色", r"(?:\b(?:yellow|gold|golden)\b|黄色?|金色)", 46, 84, 52),
    Colour("green", "绿色", r"(?:\b(?:green|emerald|mint)\b|绿色?)", 146, 50, 40),
    Colour("teal", "青色", r"(?:\b(?:teal|turquoise|cyan)\b|青色|青绿|天青|青花)", 180, 58, 38),
    Colour("blue", "蓝色", r"(?:\b(?:blue|navy|azure)\b|蓝色?)", 216, 66, 46),
    Colour("purple", "紫色", r"(?:\b(?:purple|violet|indigo|lavender)\b|紫色?)", 270, 48, 48),
    Colour("pink", "粉色", r"(?:\b(?:pink|magenta)\b|粉红?色|粉红)", 334, 70, 62),
    Colour("brown", "棕色", r"(?:\b(?:brown|sepia)\b|[棕褐]色?)", 24, 42, 34),
    Colour("black", "黑色", r"(?:\bblack\b|黑色|黑底|黑白)", 224, 16, 12),
    Colour("white", "白色", r"(?:\bwhite\b|白色|白底|纯白|雪白|米白|(?<=米)白)", 40, 24, 92),
    Colour("grey", "灰色", r"(?:\bgr[ea]y\b|灰色?)", 220, 8, 50),
)

EFFECTS = (
    Effect("darker", r"\bdark(?:er|en)?\b|暗|深一?些|加深", "the background is darker", "背景更暗了"),
    Effect("lighter", r"\b(?:light|bright)(?:er|en)\b|变亮|更亮|亮一?些", "everything is lighter", "整体更亮了"),
    Effect("contrast", r"\bcontrast\b|对比", "the contrast is stronger", "对比更强了"),
    Effect("bold", r"\bbold(?:er)?\b|粗体|加粗", "the lettering is bold", "文字改为粗体"),
    Effect(
        "logo",
        r"\badd\b.*\blogo\b|\blogo\b.*\bcorner\b|(?:加|添加|放).*(?:标志|logo)",
        "a logo is in its corner",
        "角落里有了标志",
    ),
    Effect("border", r"\bborder\b|\bframe\b|边框", "there is a frame around it", "加上了边框"),
    Effect(
        "larger",
        r"\b(?:title|text|lettering|letters|words|font|name|date)\b.*\b(?:larger|bigger)\b|"
        r"\b(?:larger|bigger) (?:title|text|lettering|letters|words|font)\b|^\W*make it (?:larger|bigger)\W*$|"
        r"(?:字|标题).*大一?[些点]|字.*(?:放大|改大)|标题.*(?:放大|更大)",
        "the title is larger",
        "标题更大了",
    ),
    Effect(
        "bare",
        r"\b(?:remove|no|without)\b.{0,12}\b(?:text|title|words)\b|去掉文字|不要文字",
        "the lettering is gone",
        "去掉了文字",
    ),
    Effect(
        "plain",
        r"\b(?:simpler|simplify|minimal(?:ist)?)\b|简洁|极简",
        "there is less around the title",
        "画面更简洁了",
    ),
)

_FILLER = re.compile(
    r"^\W*(?:(?:please|can you|could you|(?:i|we)(?:['’]d| would)? (?:like|need|want)(?: to have)?|need|want|make|"
    r"create|design|draw|generate|just|me|us|je (?:voudrais|veux)|j['’]aimerais|il me faut|"
    r"ich (?:möchte|brauche|hätte gerne?)|quiero|necesito)\s+)*(?:(?:an?|the|some|une?|eine?n?|una)\b)?\s*",
    re.IGNORECASE,
)
_FILLER_CHINESE = re.compile(r"^(?:请|帮我|帮忙|我们?|想要?|需要|要|设计|制作|做|画|生成|关于|一[张个幅份]|个|张)+")
_NAMED = re.compile(r"(?:[a-zé]+ ?){1,3}, ((?:the )?[A-Z][\w'’]+(?: [A-Z][\w'’]+)*)")  # "band, the Rusty Kettles"
_HAN = re.compile(r"[\u3400-\u9fff]")


def is_chinese(text: str) -> bool:
    """Whether the answer should be in Chinese: a fifth of the letters are Han, and there is no kana."""
    letters = sum(character.isalpha() for character in text)
    kana = re.search(r"[\u3040-\u30ff]", text)
    return kana is None and letters > 0 and len(_HAN.findall(text)) * 5 >= letters


def kind_of(text: str) -> Kind:
    """The kind named first in the text."""
    found = [(match.start(), kind) for kind in KINDS if (match := re.search(kind.pattern, text, re.IGNORECASE))]
    return min(found, key=lambda pair: pair[0])[1] if found else IMAGE


def colours_of(text: str) -> list[Colour]:
    """The colours wanted, in order of mention; "no red" is not one."""
    wanted = affirmed(text)
    found = [(match.start(), colour) for colour in COLOURS if (match := colour.found_in(wanted))]
    return [colour for _, colour in sorted(found, key=lambda pair: pair[0])]


def effects_of(text: str) -> list[Effect]:
    """The changes in the text that the drawing knows how to show; "no border" is one only where it takes away."""
    wanted = affirmed(text)
    return [
        effect
        for effect in EFFECTS
        if re.search(effect.pattern, text if effect.name == "bare" else wanted, re.IGNORECASE | re.DOTALL)
    ]


def corner_of(text: str) -> tuple[str, str]:
    """Where a logo belongs: top or bottom, left or right."""
    low = text.lower()
    return (
        "bottom" if "bottom" in low or "下" in low else "top",
        "left" if "left" in low or "左" in low else "right",
    )


def subject_of(text: str) -> str:
    """A few words that name what the picture is about, fit for a title."""
    lines = (meant(text) or text).splitlines()
    line = next((line.strip(" #*") for line in lines if line.strip(" #*")), "")[:400]  # no pattern reads more
    if quoted := names_the_subject(line):
        return quoted[0]
    if is_chinese(line):
        clause = re.split(r"[，。！？；,.!?]", _FILLER_CHINESE.sub("", line))[0]
        bare = re.sub(r"的?(?:" + "|".join(kind.chinese for kind in KINDS) + r")$", "", clause)
        return (bare or clause or line)[:14]
    about = _FILLER.sub("", line, count=1)
    about = _after_kind(about) or about
    if named := _NAMED.match(about):
        return named.group(1)
    words = re.split(r"(?<=\w)[.!?;,](?:\s|$)", about)[0].split()
    return " ".join(words[:6])[:48] or "Untitled"


def introduced(subject: str, text: str) -> str:
    """The subject after the word that the text gives it with, and with its article: "for “a jazz night”"."""
    pattern = rf"\b(for|of|about|showing)\s+((?:an?|the|my|our)\s+)?((?:[\w'’]+ ){{0,3}}[\w'’]+, )?{re.escape(subject)}"
    found = re.search(pattern, text[:400], re.IGNORECASE)
    if found is None:
        return f"about “{subject}”"
    link, article, between = found.groups()
    return f"{link.lower()} “{'' if between or not article else article}{subject}”"


def name_in(text: str) -> str:
    """The name that the text gives to what the picture is for, or nothing; a quoted one is lettering already."""
    named = _NAMED.match(_after_kind(text.strip()[:400]))
    return named.group(1) if named else ""


def _after_kind(sentence: str) -> str:
    """What a sentence such as "a poster for our jazz night" is about."""
    kind = kind_of(sentence)
    link = (
        r"(?:\s+(?:design|thing|image|picture|graphic|idea))?"
        r"\s+(?:for|of|about|showing|with|pour|sur|für|über|para|sobre)\s+"
        r"(?:(?:an?|the|my|our|ma|mon|notre|la|le|les|mein|unser|mi|nuestro)\s+)?(.+)"
    )
    named = re.search(f"(?:{kind.pattern}){link}", sentence, re.IGNORECASE) if kind is not IMAGE else None
    return named.group(1) if named else ""


def shortened(text: str, length: int) -> str:
    """One line of at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
