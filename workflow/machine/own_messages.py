"""Messages of Phasegate's own, for what no bundle has words for: a kept wish, and the same once more."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.machine.language import nearest
from workflow.machine.messages import Part, fill
from workflow.model.session import WISH, Session

SAME_AGAIN = "same.again"
"""The name of the message that `again` is answered with; like a wish's it has a dot, as no message of a bundle has."""
_WORDS = "words"
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        WISH: "You also asked me to keep this for later: “${words}”\nShall I do that now?",
        SAME_AGAIN: "Let's try that again. Nothing has changed, and nothing happens until you say yes.",
    },
    "zh-CN": {
        WISH: "您之前还让我记下这一点：“${words}”\n现在要我照做吗？",
        SAME_AGAIN: "好的，我们再试一次。内容没有任何改动，您同意之前什么都不会执行。",
    },
}
"""Language → message → text."""


def is_own(name: str) -> bool:
    """Whether a message of this name is Phasegate's own."""
    return name == SAME_AGAIN or name.startswith(WISH)


def parts(name: str, session: Session) -> tuple[tuple[Part, ...], str, str | None]:
    """The message, its language, and the one that it is to be translated to, if any.

    Raises ``KeyError`` for a wish that does not wait.
    """
    language, translate_to = nearest(session.language, tuple(_TEXTS))
    if name == SAME_AGAIN:
        return fill(_TEXTS[language][name], {}, {}), language, translate_to
    wishes = {wish.key: wish.words for wish in session.wishes}
    filled = fill(_TEXTS[language][WISH], {_WORDS: "text"}, {_WORDS: wishes[name]})
    return filled, language, translate_to
