"""The conversation before a picture is made: what has been said, what is still to ask, and the plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .words import Kind, adds, is_chinese, kind_of, quoted_in, shortened, subject_of, told

TOPICS = ("colours", "lettering", "place", "style", "audience", "avoid")
_AT_MOST = 3  # questions in one round

_QUESTIONS: dict[str, tuple[str, str]] = {
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
_OWN_QUESTIONS: dict[tuple[str, str], tuple[str, str]] = {
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
_DEFAULTS: dict[str, tuple[str, str]] = {
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
_HEADINGS: dict[str, tuple[str, str]] = {
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


@dataclass(frozen=True)
class Said:
    """What a prepare request says: the user's texts in order, and each file token once."""

    texts: list[str]
    tokens: list[str]


@dataclass(frozen=True)
class Turn:
    """One answer of the service; ``prompt`` is empty while it is still asking."""

    reply: str
    prompt: str


def read_said(messages: Iterable[Mapping[str, Any]], file_tokens: Any) -> Said:
    """Understand every form of message that clients send (AnyGen takes a string, parts or ``{text}``)."""
    texts: list[str] = []
    tokens: list[str] = tokens_in(file_tokens)
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else [content]
        tokens += tokens_in([part for part in parts if isinstance(part, dict)])
        tokens += tokens_in(message.get("files")) + tokens_in(message.get("file_tokens"))
        if message.get("role") == "user" and (text := text_in(content)):
            texts.append(text)
    return Said(texts, list(dict.fromkeys(tokens)))


def text_in(content: Any) -> str:
    """The words of a message's content, whatever its form."""
    parts = content if isinstance(content, list) else [content]
    words = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "\n".join(word for word in words if isinstance(word, str) and word.strip())


def tokens_in(value: Any) -> list[str]:
    """File tokens out of a list of strings, or of objects that hold a ``file_token``."""
    items = value if isinstance(value, list) else []
    named = [item.get("file_token") if isinstance(item, dict) else item for item in items]
    return [token for token in named if isinstance(token, str)]


def continued(messages: list[dict[str, Any]], reply: str) -> list[dict[str, Any]]:
    """The whole conversation and the reply, in the form in which it came; no content is an object."""
    echoed = [{**message, "content": _listed(message.get("content"))} for message in messages]
    plain = all(isinstance(message["content"], str) for message in echoed)
    content: Any = reply if plain else [{"type": "text", "text": reply}]
    return [*echoed, {"role": "assistant", "content": content}]


def answer(said: Said, rounds: int) -> Turn:
    """Ask until ``rounds`` things have been said, then give the plan; whatever is said later changes it."""
    chinese = is_chinese(" ".join(said.texts))
    kind = kind_of("\n".join(said.texts))
    if len(said.texts) >= rounds:
        return Turn(_ready(said.texts, rounds, kind, chinese), _plan(said, rounds, kind, chinese))
    return Turn(_asking(said, kind, _next_questions(said.texts, rounds), chinese), "")


def _listed(content: Any) -> Any:
    if isinstance(content, dict):
        return [{"type": "text", "text": text_in(content)}]
    return "" if content is None else content


def _next_questions(texts: list[str], rounds: int) -> list[str]:
    """Played through from the beginning, so that nothing is asked twice and nothing need be remembered."""
    asked: list[str] = []
    group: list[str] = []
    for number in range(1, len(texts) + 1):
        known = "\n".join(texts[:number])
        open_topics = [topic for topic in TOPICS if topic not in asked and not told(topic, known)]
        share = math.ceil(len(open_topics) / max(1, rounds - number))
        group = open_topics[: min(_AT_MOST, share)] or ["rest"]
        asked += group
    return group


def _asking(said: Said, kind: Kind, topics: list[str], chinese: bool) -> str:
    name = kind.chinese if chinese else kind.name
    questions = []
    for topic in topics:
        pair = _OWN_QUESTIONS.get((kind.name, topic)) or _QUESTIONS[topic]
        questions.append(pair[chinese].format(kind=name))
    subject = shortened(_subject(said.texts), 48)
    if len(said.texts) > 1:
        opening = "谢谢，记下了。还有：" if chinese else "Thank you, noted. A little more:"
    elif chinese:
        opening = f"好的，一个关于“{subject}”的{name}。" + ("参考图已收到。" if said.tokens else "") + "先请教几点："
    else:
        seen = " I have your reference in front of me." if said.tokens else ""
        opening = f"Gladly: {_article(name)} about “{subject}”.{seen} A few questions first:"
    return opening + "\n\n" + "\n".join(f"{number}. {text}" for number, text in enumerate(questions, 1))


def _ready(texts: list[str], rounds: int, kind: Kind, chinese: bool) -> str:
    subject = shortened(_subject(texts), 48)
    change = shortened(texts[-1], 120) if len(texts) > rounds else ""
    if chinese:
        done = (
            f"已按您的意见修改方案：“{change}”。"
            if change
            else f"信息齐了，关于“{subject}”的{kind.chinese}方案已准备好。"
        )
        return done + "请看一遍，如需调整请告诉我。"
    done = f"I have worked your change into the plan: “{change}”."
    if not change:
        done = f"I have what I need: the plan for {_article(kind.name)} about “{subject}” is ready."
    return f"{done} Please look through it; tell me if anything should change."


def _plan(said: Said, rounds: int, kind: Kind, chinese: bool) -> str:
    """A structured prompt of several paragraphs that holds everything the user said, word for word."""
    brief, changes = said.texts[:rounds], said.texts[rounds:]
    subject = _subject(said.texts)
    title = f"# {kind.chinese}：{subject}" if chinese else f"# {kind.name.capitalize()}: {subject}"
    sections = [title, _section("brief", "\n\n".join(brief), chinese)]
    for topic in ("colours", "style", "lettering", "place", "audience", "avoid"):
        joined = ("、" if chinese else ", ").join(_settled(topic, said.texts)[:8])
        sections.append(_section(topic, joined or _DEFAULTS[topic][chinese], chinese))
    sections.append(_section("composition", _composition(kind, chinese), chinese))
    if said.tokens:
        sections.append(_section("references", _references(len(said.tokens), chinese), chinese))
    if changes:
        sections.append(_section("changes", "\n\n".join(changes), chinese))
    return "\n\n".join(sections)


def _settled(topic: str, texts: list[str]) -> list[str]:
    """What holds at the end: a later word takes the place of an earlier one, unless it adds to it."""
    settled: list[str] = []
    for text in texts:
        if found := told(topic, text):
            settled = list(dict.fromkeys([*settled, *found])) if adds(text) else found
    return settled


def _subject(texts: list[str]) -> str:
    quoted = [phrase for text in texts for phrase in quoted_in(text)]
    return quoted[-1] if quoted else subject_of(texts[0])


def _section(name: str, text: str, chinese: bool) -> str:
    return f"## {_HEADINGS[name][chinese]}\n{text}"


def _references(number: int, chinese: bool) -> str:
    if chinese:
        return f"附有 {number} 张参考图：借鉴其配色、形状与气质，不要照搬。"
    attached = f"{number} reference images are attached" if number > 1 else "One reference image is attached"
    return f"{attached}: follow palette, shapes and temper, without copying."


def _composition(kind: Kind, chinese: bool) -> str:
    shape = (kind.width > kind.height * 1.1) - (kind.height > kind.width * 1.1)
    if chinese:
        return ("方形构图", "横向构图", "竖向构图")[shape] + "，主体居中偏上，层次分明，标题清楚，四周留白。"
    form = ("A square composition", "A wide composition", "An upright composition")[shape]
    rest = "depth in three layers, the title easy to find, and room to breathe at the edges."
    return f"{form} with one clear focus a little above the middle, {rest}"


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
