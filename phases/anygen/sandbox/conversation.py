"""The conversation before a picture is made: what has been said, what is still to ask, and the plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .speech import meant
from .topics import (
    DEFAULTS,
    HEADINGS,
    NAMED_ALREADY,
    OWN_QUESTIONS,
    QUESTIONS,
    TOPICS,
    settled,
    spoken_of,
    title_in,
    wordless,
)
from .words import Kind, introduced, is_chinese, kind_of, name_in, shortened, subject_of

_AT_MOST = 2  # questions in one round
_WORDLESS = ("no words at all", "不写任何文字")
_GREETING = ("Gladly. What should the picture show, and what is it for?", "好的。您想要一张什么样的图片？用在哪里？")


@dataclass(frozen=True)
class Said:
    """What a prepare request says: the user's own texts in order, and each file token once."""

    texts: list[str]
    tokens: list[str]


@dataclass(frozen=True)
class Turn:
    """One answer of the service; ``prompt`` is empty while it is still asking."""

    reply: str
    prompt: str


def read_said(messages: Iterable[Mapping[str, Any]], file_tokens: Any) -> Said:
    """Understand every form of message that clients send (AnyGen takes a string, parts or ``{text}``).

    Where files go along, a message's further texts describe them: they are no wishes of the user.
    """
    messages, tokens = list(messages), tokens_in(file_tokens)
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else [content]
        tokens += tokens_in([part for part in parts if isinstance(part, dict)])
        tokens += tokens_in(message.get("files")) + tokens_in(message.get("file_tokens"))
    own = _first_text if tokens else text_in
    texts = [own(message.get("content")) for message in messages if message.get("role") == "user"]
    return Said([text for text in texts if text], list(dict.fromkeys(tokens)))


def text_in(content: Any) -> str:
    """The words of a message's content, whatever its form."""
    parts = content if isinstance(content, list) else [content]
    words = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "\n".join(word for word in words if isinstance(word, str) and word.strip())


def _first_text(content: Any) -> str:
    """The words of its first part that has some."""
    parts = content if isinstance(content, list) else [content]
    return next((text for part in parts if (text := text_in(part))), "")


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
    """Ask until ``rounds`` things have been said, then give the plan; whatever is said later changes it.

    As long as nothing was said about a picture, greetings and remarks only, there is nothing to plan.
    """
    chinese = is_chinese(" ".join(said.texts))
    said = Said([meant(text) for text in said.texts], said.tokens)
    if not any(said.texts):
        return Turn(_GREETING[chinese], "")
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
        open_topics = [topic for topic in TOPICS if topic not in asked and not spoken_of(topic, known)]
        share = math.ceil(len(open_topics) / max(1, rounds - number))
        group = open_topics[: min(_AT_MOST, share)] or ["rest"]
        asked += group
    return group


def _asking(said: Said, kind: Kind, topics: list[str], chinese: bool) -> str:
    name = kind.chinese if chinese else kind.name
    given = shortened(name_in(next(filter(None, said.texts))), 48)
    questions = []
    for topic in topics:
        pair = OWN_QUESTIONS.get((kind.name, topic)) or QUESTIONS[topic]
        if given and (kind.name, topic) == ("logo", "lettering"):
            pair = NAMED_ALREADY
        questions.append(pair[chinese].format(kind=name, name=given))
    subject = shortened(_subject(said.texts), 48)
    if len(said.texts) > 1:
        opening = "谢谢，记下了。还有：" if chinese else "Thank you, noted. A little more:"
    elif chinese:
        opening = f"好的，一个关于“{subject}”的{name}。" + ("参考图已收到。" if said.tokens else "") + "先请教几点："
    else:
        seen = " I have your reference in front of me." if said.tokens else ""
        number = "Two questions" if len(questions) > 1 else "One question"
        opening = f"Gladly: {_article(name)} {_introduced(said.texts)}.{seen} {number} first:"
    return opening + "\n\n" + "\n".join(f"{number}. {text}" for number, text in enumerate(questions, 1))


def _ready(texts: list[str], rounds: int, kind: Kind, chinese: bool) -> str:
    subject = shortened(_subject(texts), 48)
    change = shortened(texts[-1], 120).rstrip(".。") if len(texts) > rounds else ""
    if len(texts) > rounds and not change:
        return "方案没有变动。" if chinese else "The plan is as it was: nothing in it had to change."
    if chinese:
        if change:
            return f"已按您的意见修改方案：“{change}”。"
        return f"信息齐了，关于“{subject}”的{kind.chinese}方案已准备好。"
    if change:
        return f"I have worked your change into the plan: “{change}”."
    return f"I have what I need: the plan for {_article(kind.name)} {_introduced(texts)} is ready."


def _plan(said: Said, rounds: int, kind: Kind, chinese: bool) -> str:
    """A structured prompt of several paragraphs that holds every wish of the user, word for word."""
    brief = [text for text in said.texts[:rounds] if text]
    changes = [text for text in said.texts[rounds:] if text]
    subject = _subject(said.texts)
    title = f"# {kind.chinese}：{subject}" if chinese else f"# {kind.name.capitalize()}: {subject}"
    sections = [title, _section("brief", "\n\n".join(brief or changes), chinese)]
    for topic in ("colours", "style", "lettering", "place", "audience", "avoid"):
        joined = ("、" if chinese else ", ").join(settled(topic, said.texts)[:8])
        if not joined and topic == "lettering" and wordless("\n".join(said.texts)):
            joined = _WORDLESS[chinese]
        sections.append(_section(topic, joined or DEFAULTS[topic][chinese], chinese))
    sections.append(_section("composition", _composition(kind, chinese), chinese))
    if said.tokens:
        sections.append(_section("references", _references(len(said.tokens), chinese), chinese))
    if changes:
        sections.append(_section("changes", "\n\n".join(changes), chinese))
    return "\n\n".join(sections)


def _subject(texts: list[str]) -> str:
    return title_in(texts) or subject_of(next(text for text in texts if text))


def _introduced(texts: list[str]) -> str:
    return introduced(shortened(_subject(texts), 48), next(filter(None, texts)))


def _section(name: str, text: str, chinese: bool) -> str:
    return f"## {HEADINGS[name][chinese]}\n{text}"


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
