"""What the sandbox understands of a request: its language, the kind of picture, colours, changes."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of picture; ``width`` and ``height`` in units of the drawing."""

    name: str
    pattern: str
    chinese: str
    width: int = 800
    height: int = 800


@dataclass(frozen=True)
class Colour:
    """A named colour: hue in degrees, saturation and lightness in percent."""

    name: str
    chinese: str
    pattern: str
    hue: int
    saturation: int
    lightness: int


@dataclass(frozen=True)
class Effect:
    """A change that the drawing can show, and how the reply names it."""

    name: str
    pattern: str
    english: str
    chinese: str


KINDS = (
    Kind("poster", r"\bposters?\b|海报", "海报", 720, 1020),
    Kind("logo", r"\blogos?\b|标志|徽标|商标", "标志"),
    Kind("banner", r"\bbanners?\b|横幅|横批", "横幅", 1200, 480),
    Kind("portrait", r"\bportraits?\b|肖像|头像|人像", "肖像", 720, 900),
    Kind("cover", r"\bcovers?\b|封面", "封面", 720, 1020),
    Kind("flyer", r"\bflyers?\b|\bleaflets?\b|传单|单页", "传单", 720, 1020),
    Kind("card", r"\bcards?\b|\binvitations?\b|贺卡|请柬|名片|邀请函", "卡片", 1000, 660),
    Kind("icon", r"\bicons?\b|图标", "图标"),
    Kind("wallpaper", r"\bwallpapers?\b|壁纸", "壁纸", 1200, 720),
    Kind("illustration", r"\billustrations?\b|插画|插图", "插画", 960, 720),
)
IMAGE = Kind("image", r"", "图片", 960, 720)

COLOURS = (
    Colour("red", "红色", r"\b(?:red|crimson|scarlet)\b|红(?!书)", 4, 74, 48),
    Colour("orange", "橙色", r"\b(?:orange|amber)\b|橙", 26, 86, 52),
    Colour("gold", "金色", r"\b(?:yellow|gold|golden)\b|黄|金色", 46, 84, 52),
    Colour("green", "绿色", r"\b(?:green|emerald|mint)\b|绿", 146, 50, 40),
    Colour("teal", "青色", r"\b(?:teal|turquoise|cyan)\b|青色|青绿|天青|青花", 180, 58, 38),
    Colour("blue", "蓝色", r"\b(?:blue|navy|azure)\b|蓝", 216, 66, 46),
    Colour("purple", "紫色", r"\b(?:purple|violet|indigo|lavender)\b|紫", 270, 48, 48),
    Colour("pink", "粉色", r"\b(?:pink|magenta|rose)\b|粉色|粉红", 334, 70, 62),
    Colour("brown", "棕色", r"\b(?:brown|sepia|coffee)\b|棕|褐", 24, 42, 34),
    Colour("black", "黑色", r"\bblack\b|黑色|黑底|黑白", 224, 16, 12),
    Colour("white", "白色", r"\bwhite\b|白色|白底|纯白|雪白", 40, 24, 92),
    Colour("grey", "灰色", r"\bgr[ea]y\b|灰", 220, 8, 50),
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
    Effect("larger", r"\b(?:larger|bigger)\b|放大|更大|大一?些", "the title is larger", "标题更大了"),
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

_TOLD = {
    "colours": r"\b(?:vibrant|bright|warm|cold|cool|dark|calm|elegant|playful|energetic|cheerful|moody|"
    r"cosy|cozy|romantic|dreamy|soft|pastels?|neon|festive|colou?rs?|palette|mood)\b|"
    r"鲜艳|明亮|温暖|暖色|冷色|宁静|优雅|活泼|欢快|浪漫|梦幻|柔和|霓虹|喜庆|色调|配色|氛围",
    "style": r"\b(?:modern|minimal(?:ist)?|vintage|retro|flat|watercolou?r|photo\w*|realistic|hand-drawn|"
    r"line art|3d|cartoon|anime|oil painting|geometric|abstract|art deco|pixel art)\b|"
    r"现代|极简|复古|扁平|水彩|写实|手绘|线稿|卡通|国风|油画|几何|抽象|像素",
    "place": r"\ba[0-6]\b|\b\d+\s*[x×:]\s*\d+\b|\b\d+\s*(?:px|cm|mm|inch(?:es)?)\b|"
    r"\b(?:print(?:ed)?|instagram|facebook|wechat|website|social media|square|vertical|horizontal|"
    r"landscape format|billboard|t-shirt)\b|"
    r"竖版|横版|方形|印刷|打印|朋友圈|小红书|公众号|网站|尺寸|厘米",
    "lettering": r"[“\"「『《][^”\"」』》]{1,80}[”\"」』》]|"
    r"\b(?:title|headline|slogan|tagline|lettering|caption|text|names?|date|venue|says?)\b|"
    r"标题|文字|文案|标语|口号|日期|写着|写上",
    "audience": r"\b(?:audience|kids|children|customers|clients|famil(?:y|ies)|students|visitors|teenagers|"
    r"professionals)\b|面向|儿童|孩子|客户|观众|学生|年轻人|家庭",
    "avoid": r"\b(?:avoid|without|don't|do not|nothing|no \w+)\b|不要|避免|别用|没有要求",
}
_NEGATED = re.compile(r"(?:\b(?:no|not|without|avoid|instead of)\s+(?:any\s+|the\s+)?|不要|避免|别用)$", re.IGNORECASE)
_FILLER = re.compile(
    r"^\W*(?:(?:please|can you|could you|i(?:'d| would)? (?:like|need|want)(?: to have)?|we need|make|create|"
    r"design|draw|generate|just|me|us)\s+)*(?:an?|the|some)?\s*",
    re.IGNORECASE,
)
_FILLER_CHINESE = re.compile(r"^(?:请|帮我|帮忙|我们?|想要?|需要|要|设计|制作|做|画|生成|关于|一[张个幅份]|个|张)+")
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
    found = []
    for colour in COLOURS:
        for match in re.finditer(colour.pattern, text, re.IGNORECASE):
            if not _NEGATED.search(text[max(0, match.start() - 16) : match.start()]):
                found.append((match.start(), colour))
                break
    return [colour for _, colour in sorted(found, key=lambda pair: pair[0])]


def adds(text: str) -> bool:
    """Whether a change adds to what was there, where others take its place."""
    return re.search(r"\b(?:add|also|too|more|plus)\b|加|也|再", text, re.IGNORECASE) is not None


def told(topic: str, text: str) -> list[str]:
    """The phrases that already answer the topic; empty if it has not been spoken of."""
    found = [match.group(0) for match in re.finditer(_TOLD[topic], text, re.IGNORECASE)]
    if topic == "colours":
        chinese = is_chinese(text)
        found = [colour.chinese if chinese else colour.name for colour in colours_of(text)] + found
    if topic == "lettering" and (quoted := [f"“{phrase}”" for phrase in quoted_in(text)]):
        return quoted
    return list(dict.fromkeys(phrase.lower() for phrase in found))


def effects_of(text: str) -> list[Effect]:
    """The changes in the text that the drawing knows how to show."""
    return [effect for effect in EFFECTS if re.search(effect.pattern, text, re.IGNORECASE | re.DOTALL)]


def corner_of(text: str) -> tuple[str, str]:
    """Where a logo belongs: top or bottom, left or right."""
    low = text.lower()
    return (
        "bottom" if "bottom" in low or "下" in low else "top",
        "left" if "left" in low or "左" in low else "right",
    )


def quoted_in(text: str) -> list[str]:
    """What stands in quotation marks, and so is meant word for word."""
    return re.findall(r"[“\"「『《]([^”\"」』》\n]{2,40})[”\"」』》]", text)


def subject_of(text: str) -> str:
    """A few words that name what the picture is about, fit for a title."""
    line = next((line.strip(" #*") for line in text.splitlines() if line.strip(" #*")), "")
    if quoted := quoted_in(line):
        return quoted[0]
    if is_chinese(line):
        clause = re.split(r"[，。！？；,.!?]", _FILLER_CHINESE.sub("", line))[0]
        bare = re.sub(r"的?(?:" + "|".join(kind.chinese for kind in KINDS) + r")$", "", clause)
        return (bare or clause or line)[:14]
    sentence = re.split(r"(?<=\w)[.!?;,](?:\s|$)", _FILLER.sub("", line, count=1))[0]
    words = (_after_kind(sentence) or sentence).split()
    return " ".join(words[:6])[:48] or "Untitled"


def _after_kind(sentence: str) -> str:
    """What a sentence such as "a poster for our jazz night" is about."""
    kind = kind_of(sentence)
    link = r"\s+(?:design\s+)?(?:for|of|about|showing|with)\s+(?:(?:an?|the|my|our)\s+)?(.+)"
    named = re.search(f"(?:{kind.pattern}){link}", sentence, re.IGNORECASE) if kind is not IMAGE else None
    return named.group(1) if named else ""


def shortened(text: str, length: int) -> str:
    """One line of at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
