"""Messages of Phasegate's own, for what no bundle has words for: a kept wish, and the same once more."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.machine.language import nearest
from workflow.machine.messages import Part, fill
from workflow.model.session import WISH, Session, Wish

SAME_AGAIN = "same.again"
"""The name of the message that `again` is answered with; like a wish's it has a dot, as no message of a bundle has."""
KEPT, UNMET = "kept", "unmet"
"""What is said of a wish that is not asked about: it goes on waiting, or it cannot be fulfilled any more."""
PART = "part."
"""What the name of the message begins with that a wish was taken up in part, and what became of the rest."""
_WORDS = "words"
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        WISH: "Earlier you said: “${words}”\nShall I do that now?",
        KEPT: "I also have this from you: “${words}”\nI'll ask you about it when its turn comes.",
        UNMET: "This can't be done any more: “${words}”",
        PART: "Earlier you said: “${words}”\nNow I'm doing only a part of that. If you want the rest too, tell me.",
        SAME_AGAIN: "Let's try that again. Nothing has changed, and nothing happens until you say yes.",
    },
    "zh-CN": {
        WISH: "您之前提到：“${words}”\n现在要我照做吗？",
        KEPT: "您还提到：“${words}”\n这一点我先记着，到时候再问您。",
        UNMET: "这一点已经无法照做了：“${words}”",
        PART: "您之前提到：“${words}”\n这次我只处理其中一部分。如果其余的也需要，请告诉我。",
        SAME_AGAIN: "好的，我们再试一次。内容没有任何改动，您同意之前什么都不会执行。",
    },
}
"""Language → message → text."""


def is_own(name: str) -> bool:
    """Whether a message of this name is Phasegate's own."""
    return name == SAME_AGAIN or name.startswith((WISH, PART))


def of_part(wish: Wish) -> str:
    """The name of the message that this wish was taken up in part."""
    return f"{PART}{wish.id}"


def parts(name: str, session: Session, asked: bool) -> tuple[tuple[Part, ...], str, str | None]:
    """The message, its language, and the one that it is to be translated to, if any.

    ``asked`` says whether the wish of this name is the one that is asked about. Raises ``KeyError`` for a wish that
    the session does not know.
    """
    language, translate_to = nearest(session.language, tuple(_TEXTS))
    if name == SAME_AGAIN:
        return fill(_TEXTS[language][name], {}, {}), language, translate_to
    unmet = {wish.key for wish in session.unmet}
    known = {each: wish.words for wish in (*session.wishes, *session.unmet) for each in (wish.key, of_part(wish))}
    kind = PART if name.startswith(PART) else WISH if asked else UNMET if name in unmet else KEPT
    return fill(_TEXTS[language][kind], {_WORDS: "text"}, {_WORDS: known[name]}), language, translate_to
