"""What a form says of its own, in the languages that the engine speaks; the question comes from the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflow.machine.foreign import TRANSLATED
from workflow.model.frozen import Noun


class FormWords(Noun):
    """The words of a form; ``{}`` is what the line is about."""

    asks: str
    asks_in_sandbox: str
    answer_by: str
    translated: str
    would_send: str
    described: str
    answer: str
    choose: str
    declines: str
    no: str
    own_words: str
    may_be_sent: str


WORDS: Mapping[str, FormWords] = {
    "en": FormWords(
        asks="This asks you, not the agent.",
        asks_in_sandbox="This asks you, not the agent (sandbox: nothing real happens).",
        answer_by="Answer by {} UTC; then it is asked again.",
        translated=f"{TRANSLATED[0].upper()}{TRANSLATED[1:]}:",
        would_send="The agent would send for you:",
        described="How the agent describes it, which nobody has checked:",
        answer="Your answer",
        choose="“{}” agrees to what is shown above. Anything else leaves the question open.",
        declines="“{}” says no, and your own words are the reason.",
        no="no answer now",
        own_words="In your own words, if you like",
        may_be_sent="{}: may it be sent?",
    ),
    "zh": FormWords(
        asks="这是在问您本人，不是问智能体。",
        asks_in_sandbox="这是在问您本人，不是问智能体（沙盒：不会真正执行）。",
        answer_by="请在 {} UTC 之前回答；过期后会重新询问。",
        translated="智能体对所问内容的翻译，未经任何人核对：",
        would_send="智能体将代您发送：",
        described="智能体对文件的描述，未经任何人核对：",
        answer="您的回答",
        choose="“{}”表示同意以上内容。其他任何选择都会让问题保持未答。",
        declines="“{}”表示拒绝，您自己的话就是理由。",
        no="现在不回答",
        own_words="也可以用您自己的话（选填）",
        may_be_sent="{}：可以发送吗？",
    ),
}
NO_ANSWERS = frozenset(words.no for words in WORDS.values())


def form_words(language: str, declared: Sequence[str]) -> FormWords:
    """In the session's language; where the engine does not speak it, in the first of the bundle's that it does."""
    bases = (each.split("-")[0] for each in (language, *declared, "en"))
    return next(WORDS[base] for base in bases if base in WORDS)
