"""What a plan consists of: its topics, how each is asked for, and what a text says about it."""

from __future__ import annotations

import re

from .speech import affirmed, ruled_out, titles_in, written_in
from .words import COLOURS

TOPICS = ("colours", "lettering", "place", "style", "audience", "avoid")

QUESTIONS: dict[str, tuple[str, str]] = {
    "colours": (
        "Which colours or which mood should the {kind} have, for instance warm and lively, or dark and calm?",
        "{kind}想要什么色调或氛围？例如温暖活泼，或者深沉宁静。",
    ),
    "lettering": (
        "Which words should be on the {kind}: a title, a date, a place?",
        "{kind}上需要写哪些文字？例如标题、日期、地点。",
    ),
    "place": (
        "Where will the {kind} be used, and in what size or format?",
        "{kind}会用在哪里？需要什么尺寸或版式？",
    ),
    "style": (
        "Is there a style you have in mind, such as watercolour, photographic, retro or minimalist?",
        "有没有喜欢的风格？例如水彩、写实、复古或极简。",
    ),
    "audience": ("Who is the {kind} for?", "{kind}主要给谁看？"),
    "avoid": ("Is there anything that must not appear on the {kind}?", "有什么是{kind}上一定不能出现的吗？"),
    "rest": (
        "Is there anything else I should know about the {kind}?",
        "关于{kind}，还有其他需要我了解的吗？",
    ),
}
OWN_QUESTIONS: dict[tuple[str, str], tuple[str, str]] = {
    ("logo", "lettering"): (
        "Which name or initials should the logo carry, and is there a tagline?",
        "标志上要用什么名称或缩写？有没有标语？",
    ),
    ("logo", "place"): (
        "Where will the logo be seen most: on a website, in print, on a sign?",
        "标志主要用在哪里：网站、印刷品还是招牌？",
    ),
    ("portrait", "lettering"): (
        "Should a name be on the portrait, or no words at all?",
        "肖像上要写名字，还是不要任何文字？",
    ),
    ("banner", "lettering"): (
        "Which headline should the banner carry, and is there a call to action?",
        "横幅上写什么标题？有没有行动号召语？",
    ),
}
NAMED_ALREADY = (
    "Should “{name}” be on the {kind}, and is there a tagline?",
    "{kind}上就写“{name}”吗？有没有标语？",
)
"""Asked for the lettering of what carries a name, once the name was given."""
DEFAULTS: dict[str, tuple[str, str]] = {
    "colours": (
        "a palette that suits the subject, two strong colours and one light one",
        "贴合主题的配色：两种主色加一种浅色",
    ),
    "lettering": ("only the title, set large and easy to read", "只写标题，字大易读"),
    "place": ("high resolution, fit for screen and print", "高分辨率，屏幕与印刷均可用"),
    "style": ("clear and modern, with generous empty space", "清晰现代，留白充足"),
    "audience": ("a general audience", "一般大众"),
    "avoid": ("clutter, tiny type, stock imagery", "杂乱的元素、过小的文字、图库素材"),
}
HEADINGS: dict[str, tuple[str, str]] = {
    "brief": ("What was asked for", "需求"),
    "colours": ("Colour and mood", "色彩与氛围"),
    "style": ("Style", "风格"),
    "lettering": ("Lettering", "文字"),
    "place": ("Format and use", "版式与用途"),
    "audience": ("Audience", "受众"),
    "avoid": ("Avoid", "避免"),
    "composition": ("Composition", "构图"),
    "references": ("References", "参考图"),
    "changes": (
        "Changes asked for since, which come first where they differ",
        "后续修改（如有冲突，以此为准）",
    ),
}
_VALUES = {
    "colours": r"\b(?:vibrant|bright|warm|cold|cool|dark|calm|elegant|playful|energetic|cheerful|moody|"
    r"cosy|cozy|romantic|dreamy|soft|pastels?|neon|festive|lively|autumn(?:al)?|couleurs pastel)\b|"
    r"鲜艳|明亮|温暖|暖色|冷色|宁静|优雅|活泼|欢快|浪漫|梦幻|柔和|霓虹|喜庆",
    "style": r"\b(?:modern|minimal(?:ist)?|vintage|retro|flat|watercolou?r|photo\w*|realistic|hand-drawn|"
    r"line art|3d|cartoon|anime|oil painting|geometric|abstract|art deco|pixel art|punk|cute)\b|"
    r"现代|极简|复古|扁平|水彩|写实|手绘|线稿|卡通|国风|油画|几何|抽象|像素|文艺|可爱",
    "place": r"\ba[0-6]\b|\b\d+\s*[x×:]\s*\d+\b|\b\d+\s*(?:px|cm|mm|inch(?:es)?)\b|"
    r"\b(?:t-shirt print|print(?:ed)?|instagram|facebook|linkedin|wechat|website|social media|square|vertical|"
    r"horizontal|landscape format|billboard|t-shirt)\b|"
    r"竖版|横版|方形|印刷|打印|朋友圈|小红书|公众号|网站|\d+\s*厘米",
    "lettering": r"\b\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:january|february|march|april|may|june|july|august|september|"
    r"october|november|december)\b|\b(?:january|february|march|april|june|july|august|september|october|"
    r"november|december) \d{1,2}\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|"
    r"\b\d{1,2}(?:[:.]\d\d)? ?(?:to|–|-) ?\d{1,2}(?:[:.]\d\d)?(?: ?[ap]m)?\b|\b\d{1,2}(?:[:.]\d\d)? ?[ap]m\b|"
    r"\bstarts at (?:dusk|dawn|noon|midnight|sunset)\b|\b(?:free (?:entry|admission)|admission free)\b|"
    r"[£€$] ?\d+(?:\.\d\d)?|\b(?:all \w+ )?\d+ (?:pounds?|euros?|dollars?)\b|"
    r"\d{1,2}月\d{1,2}[号日]|(?:周|星期)[一二三四五六日天]|地址[在是：:]?[^，。；,;\n]{2,20}",
    "audience": r"\b(?:kids|children|customers|clients|famil(?:y|ies)|students|visitors|teenagers|professionals|"
    r"\d+[- ]year[- ]olds?|(?<=for a )school)\b|儿童|孩子|客户|学生|年轻人|家庭",
}
_SPOKEN_OF = {  # words that show that a topic has been spoken of, though they are no answer by themselves
    "colours": r"\b(?:colou?rs?|palette|mood)\b|色调|配色|氛围|颜色",
    "style": r"\bstyle\b|风格",
    "place": r"\b(?:size|format)\b|尺寸|版式",
    "lettering": r"\b(?:title|headline|slogan|tagline|lettering|caption|text|names?|date|venue|words)\b|"
    r"标题|文字|文案|标语|口号|日期|名称",
    "audience": r"\baudience\b|面向|观众",
    "avoid": r"\bnothing\b|没有要求",
}
_NO_WORDS = re.compile(r"(?:text|words?|lettering|letters|writing|texte|文字)(?: at all)?", re.IGNORECASE)
_ADDS_UP = ("lettering", "audience", "avoid")
_INSTEAD = re.compile(r"\b(?:instead|rather|change|replace|only)\b|改[成为]|换成|只", re.IGNORECASE)
_ALSO = re.compile(r"\b(?:add|also|too|more|plus|maybe)\b|加|也|再", re.IGNORECASE)


def spoken_of(topic: str, text: str) -> bool:
    """Whether the topic need not be asked for any more."""
    if answers(topic, text) or (topic == "lettering" and wordless(text)):
        return True
    return re.search(_SPOKEN_OF[topic], text, re.IGNORECASE) is not None


def wordless(text: str) -> bool:
    """Whether the text rules out any lettering."""
    return any(_NO_WORDS.fullmatch(phrase) for phrase in ruled_out(text))


def answers(topic: str, text: str) -> list[str]:
    """What the text says about the topic, in its own words; what it rules out answers only what to avoid."""
    if topic == "avoid":
        return ruled_out(text)
    wanted = affirmed(text)
    found = [
        (match.start(), match.end(), match.group(0)) for match in re.finditer(_VALUES[topic], wanted, re.IGNORECASE)
    ]
    if topic == "colours":
        named = [match for colour in COLOURS if (match := colour.found_in(wanted))]
        found = [(match.start(), match.end(), match.group(0)) for match in named] + found
        found = [each for each in found if not any(_within(each, other) for other in found)]
    words = [phrase.lower() if topic in ("colours", "style") else phrase for _, _, phrase in sorted(found)]
    if topic == "lettering":
        words = [f"“{phrase}”" for phrase in written_in(wanted)] + words
    return list(dict.fromkeys(words))


def settled(topic: str, texts: list[str]) -> list[str]:
    """What counts at the end: facts add up, and of tastes a later one takes the place of an earlier one."""
    result: list[str] = []
    for text in texts:
        if found := answers(topic, text):
            adds = _ALSO.search(text) or topic in _ADDS_UP
            result = list(dict.fromkeys([*result, *found])) if adds and not _INSTEAD.search(text) else found
    return result


def title_in(texts: list[str]) -> str:
    """The title that was given last, or nothing."""
    given = [title for text in texts for title in titles_in(text)]
    return given[-1] if given else ""


def _within(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return one != other and other[0] <= one[0] and one[1] <= other[1]
