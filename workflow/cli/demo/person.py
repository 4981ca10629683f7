"""The person of the demo: what they would say, to whatever they are asked. Only words are written down here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from workflow.model.frozen import Noun
from workflow.model.reply import Option, Reply


class Script(Noun):
    """A person's words: the first ones, answers by what a question is about, and what they say to each event.

    ``space`` stands between two sentences in their language.
    """

    start: str
    description: str
    answers: tuple[tuple[str, str], ...]
    rest: str
    says: Mapping[str, tuple[str, ...]]
    space: str = " "


SCRIPTS: Mapping[str, Script] = {
    "en": Script(
        start="I need a poster for the “Harbour Lights” festival. Here is a picture of our harbour.",
        description="A harbour at night: a full moon over dark hills, five warm lamps along a pier with their "
        "reflections in dark blue water, and one small sailing boat.",
        answers=(
            (r"\bcolou?rs?\b|\bmood\b", "Deep blue and warm gold, calm, like lamps on water."),
            (r"\bwords\b|lettering|\btitle\b", "The title “Harbour Lights”, and below it: 12 June, Pier 4."),
            (r"where will|\bsize\b", "It will be printed as an A3 poster, upright."),
            (r"\bstyle\b", "A little art deco, with clean lines."),
            (r"who is|audience", "Families and visitors of the town."),
            (r"must not|avoid", "No crowds, please, and no advertising."),
        ),
        rest="Nothing more comes to mind; I leave the rest to you.",
        says={
            "consent": ("Yes, you may upload it.",),
            "adjust": ("Nearly. Please make it a little bolder, and add a thin golden frame.",),
            "approve": ("Yes, that's it. Go ahead.",),
            "modify": ("Lovely! Could you add a small logo in the bottom left corner?", "And a darker sky, please."),
            "finish": ("Perfect, thank you. That's all.",),
        },
    ),
    "zh-CN": Script(
        start="我想为“海港灯会”做一张海报，这是我们海港的照片。",
        description="夜晚的海港：深色山丘上方一轮满月，码头上五盏温暖的灯映在深蓝的水面，还有一只小帆船。",
        answers=(
            (r"色调|氛围|颜色", "深蓝和暖金色，宁静，像灯光落在水面上。"),
            (r"文字|标题|日期", "标题写“海港灯会”，下面写：6月12日，四号码头。"),
            (r"用在哪里|尺寸|版式", "印刷成A3竖版海报。"),
            (r"风格", "带一点复古风格，线条简洁。"),
            (r"给谁看|受众", "面向市民家庭和游客。"),
            (r"不能出现|避免", "不要拥挤的人群，也不要广告。"),
        ),
        rest="没有别的了，其余由你决定。",
        says={
            "consent": ("可以，上传吧。",),
            "adjust": ("差不多了。请再加粗一点，并加一圈细细的金色边框。",),
            "approve": ("好，就这样，开始吧。",),
            "modify": ("很漂亮！请在左下角加一个小标志。", "请把天空再调暗一些。"),
            "finish": ("很完美，谢谢，就到这里。",),
        },
        space="",
    ),
}

_YES = frozenset({"y", "yes", "ok", "okay", "go", "go ahead", "是", "好", "好的", "可以", "行"})


class Said(Noun):
    """What the person said, and the event that it is."""

    event: str
    words: str

    def as_turn(self, option: Option, seen: str | None) -> dict[str, Any]:
        """The turn as the reply describes it: the words as input where it takes them, as a quote where it asks."""
        turn: dict[str, Any] = {}
        if "words" in option.input:
            turn["input"] = {"words": self.words}
        if option.gate:
            turn["evidence"] = {"quote": self.words}
        return turn | {"seen": seen}


class Person:
    """Speaks a script; ``ask`` puts the approval to somebody real, and gives what they typed."""

    def __init__(self, script: Script, ask: Callable[[], str] | None = None) -> None:
        self.script = script
        self._ask = ask
        self._left = {event: list(words) for event, words in script.says.items()}
        self._told: set[str] = set()

    def respond(self, reply: Reply) -> Said | None:
        """The person's answer to what the reply says and allows; None if they have none."""
        events = {option.event for option in reply.next}
        if "approve" in events and self._ask is not None:
            return self._decide(self._ask())
        for event in ("consent", "answer", *self._left):
            if event in events and (words := self._words(event, reply)):
                return Said(event, words)
        return None

    def _decide(self, typed: str) -> Said:
        """Yes is an approval in these very words; anything else is a change that is asked for."""
        plain = typed.strip().lower().rstrip(".!。！")
        return Said("approve" if plain in _YES else "adjust", typed)

    def _words(self, event: str, reply: Reply) -> str:
        if event == "answer":
            return self._answer(_asked(reply))
        left = self._left.get(event)
        return left.pop(0) if left else ""

    def _answer(self, questions: str) -> str:
        """To each question its answer, once; to a question that nothing was written down for, the rest."""
        found = [
            answer
            for pattern, answer in self.script.answers
            if answer not in self._told and re.search(pattern, questions, re.IGNORECASE)
        ]
        self._told.update(found)
        return self.script.space.join(found) or self.script.rest


def _asked(reply: Reply) -> str:
    """What the service asks, apart from our own frame and from what the person said themselves."""
    parts = [part["text"] for said in reply.say for part in said.parts if part.get("by") == "service"]
    return parts[0] if parts else "\n".join(said.text for said in reply.say)
