"""How people speak around a request: what in a message is meant for the picture, ruled out, or to be written on it.

Tables of patterns in English and Chinese, with the commonest words of French, German and Spanish. A sentence that no
table knows is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SENTENCE = re.compile(r".+?(?:[.!?]+(?=\s|$)|[。！？]+|\n+|$)\s*", re.DOTALL)
_CLAUSE = re.compile(
    r"^(.*?)(?:\s*[,，;；、…—–!！.。:：?？]+\s*|\s+-\s+|\s+(?:but|mais|aber|pero)\b\s*|但是?|$)", re.DOTALL
)

_INTERJECTION = re.compile(
    r"^[\s,，!！.。…-]*(?:(?:but|mais|aber|pero)\s+)?(?:"
    r"(?:ok(?:ay)?|h+m+|u+m+|u+h+|ugh|oh|ah|oui|yes|yep|yeah|yup)\b(?:\s+(?:ok(?:ay)?|oui|yes)\b)*(?!['’-])|"
    r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|bonjour|bonsoir|salut|hallo|moin|"
    r"guten (?:morgen|tag|abend)|hola|buen[oa]s (?:días|tardes|noches)|ciao)"
    r"(?:\s+(?:there|all|everyone|everybody|team|again|anygen)\b)?"
    r"(?=\s*(?:[,!.;:—–，！。]|\n|$)|\s+(?:i|i['’]d|we|can|could|would|please|need|want|make|create|design|je|ich)\b)|"
    r"(?:你好|您好|嗨|哈喽|早上好|下午好|晚上好|在吗)[呀啊]?|嗯+|哦|(?:好的?|对|行|是的)(?=[\s,，。！!]|$)"
    r")[\s,，!！.。:：;；…—–]*",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"(?:(?:so|well|no|wait|no wait|sorry|please|then)|"
    r"(?:(?:thanks?|thx|ty|cheers|merci|danke|gracias)(?: you)?(?: (?:a lot|so much|very much|bye|beaucoup|schön))?)|"
    r"(?:good)?bye|cancel|done|i see(?: thanks)?|it failed|see you|au revoir|tschüss|adiós|great|perfect|nice|cool|"
    r"lovely|awesome|amazing|wonderful|fine|"
    r"(?:i )?love it|(?:it |that |this )?(?:looks?|sounds?)(?: about)? (?:right|good|great|fine|nice)|"
    r"you(?:['’]re| are) (?:so |really )?(?:amazing|awesome|great|the best)|this is (?:great|taking .*)|best \w+ ever|"
    r"no (?:wait|way|problem|worries|thanks|idea|rush|hurry)|"
    r"(?:just |please |yes )?(?:create|make|do|draw) (?:it|one|this|that)(?: now| please)?|go(?: ahead| on)?|"
    r"(?:it['’]s )?(?:up to you|your choice|your call)|whatever(?: you .*)?|as you (?:like|wish|please)|"
    r"you (?:decide|choose|pick)|surprise me|i (?:don['’]?t|do not) (?:know|mind|care)(?: .*)?|no preference|"
    r"(?:be )?quick(?:ly)?(?: please)?|(?:then )?(?:start|try|do it) again(?: .*)?|same as (?:last time|before)|"
    r"still waiting|that(?:['’]s| is) (?:all|it)|fine without it|without it|skip (?:the|these) questions|leave it|"
    r"(?:can|could|will) you (?:make|do|draw) (?:one|it|that|this)(?: for (?:me|us))?|"
    r"(?:i(?:['’]d| would) )?(?:need|like) your help|"
    r"(?:oui )?c['’]est (?:bon|joli|parfait)|allez-y|(?:oui|ja|sí|si)|"
    r"(?:非常|多)?谢谢[你您]?|没事了?|再见|拜拜|你?看着办吧?|[你您]决定吧?|随便|都可以|都行|可以|就这样[做吧]?|好了|不错|很好|"
    r"太好了|直接(?:生成|做)吧?|不用了|辛苦了?)\s*",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:(?:and|also|by the way|btw|oh|so)[\s,]+)*(?:what(?! about)|who|whom|whose|when|where|why(?! not)|"
    r"how(?! about)|which|is|are|was|were|am|do|does|did|should|shall|has|have)\b.*\?\s*$|"
    r"(?:(?:and|also|by the way|btw|oh|so)[\s,]+)*(?:what['’]?s|what (?:is|are|do)|how (?:long|much|many|do|does)|"
    r"why|when (?:is|will)|where (?:is|are)|is it done|(?:can|could) you (?:explain|tell|show) (?:me|us)|"
    r"by the way (?:can|could) you (?:explain|tell))\b|"
    r"(?:c['’]est quoi|qu['’]est-ce|quel(?:le)?s?|combien|comment|pourquoi|quand|où|was|wie|warum|wann|wo|"
    r"welche[rsnm]?|wer)\b.*\?\s*$|¿|"
    r"[^，。！；]*(?:什么|为什么|多少|怎么(?!样都)|多久|好了吗|哪)[^，。！；]*[?？吗呢么]\s*$",
    re.IGNORECASE | re.DOTALL,
)
_OF_FILES = re.compile(r"\bupload|上传|(?:可以|就|先|别)传", re.IGNORECASE)

_END = (
    r"(?=\s*(?:[,.;:!?，。；！？\n…)]|$|\b(?:please|but|instead|thanks|bitte|aber|mais|pero|s['’]il|if)\b|"
    r"\band\s+(?:no|not|make|use|put|add|keep|let|have|also|then|maybe|please|with|the|a|an|i|we|it)\b|"
    r"\bon (?:it|there|the \w+)\b))"
)
_NO = re.compile(
    r"(?<!why )\b(?:pas d['’]|(?:no|not|without|avoid(?:ing)?|leave out|remove|get rid of|take out|instead of|"
    r"rather than|(?:don['’]?t|do not|must not|mustn['’]?t|shouldn['’]?t|can['’]?t)\s+"
    r"(?:want|use|show|put|include|add|have|write|like|be)|"
    r"sans|pas de|pas|enlève[rz]?|kein(?:e[nrsm]?)?|ohne|nicht|sin|nada de)\b)"
    r"\s*(?:(?:any|the|an?|les?|la|des|du|die|der|das|den)\s+)?"
    r"(?!(?:wait|way|problem|worries|thanks?|thank|need|idea|rush|hurry|matter|longer|doubt|sure|yet|only|just|it|"
    r"that|this|them|me|you|one|really|so|to|bad|questions?|quiero|queremos|[,.;:!?])\b)"
    r"(\w[^,.;:!?，。；！？\n]{0,60}?)" + _END,
    re.IGNORECASE,
)
_NO_CHINESE = re.compile(
    r"(?:不要(?:有|用|放|写|加|出现)?|别(?:用|放|写|加|出现|有)|不想要|不能(?:有|出现)|避免(?:出现|使用)?|去掉|删掉)"
    r"(?![了谢紧问急传管]|上传|担心|客气|要求)([^，。！？；、,.!?;\n]{1,20}?)[了吧呢啊呀]?(?=[，。！？；、,.!?;\n]|$)"
)

_OPEN, _CLOSE = '“"「『《«', '”"」』》»'
_QUOTED = re.compile(
    rf"[{_OPEN}]\s?([^{_OPEN}{_CLOSE}\n]{{2,80}}?)\s?[{_CLOSE}]|(?<!\w)['‘]([^'‘’\n]{{2,60}}(?:['’]\w[^'‘’\n]*)*)['’](?!\w)"
)
_NAMES = re.compile(
    r"(?:\b(?:titled?|called|named?|entitled|headline)(?:\s+(?:is|should be|says?|reads?))?|"
    r"标题(?:是|为|写)?|题为|名为|叫做?|主题(?:是|为)?)\s*[:：]?\s*$",
    re.IGNORECASE,
)
_WRITES = re.compile(
    r"(?:\b(?:says?|saying|writes?|written|reads?|slogan|tagline|caption|text|words?|lettering)\b[^.!?]{0,12}|"
    r"(?:文字|文案|标语|口号|写上?|写着)[^，。]{0,4})$",
    re.IGNORECASE,
)
_SPOKEN_TEXT = re.compile(
    r"(?:\b(?:can|could|should|must|may|let)\s+(?:we|it|you|there|the \w+)\s+(?:also\s+|please\s+)?(?:say|read|write)|"
    r"\bplease (?:say|write)|\bwrite|\b(?:titled|entitled)|"
    r"\b(?:title|headline|slogan|tagline|caption|text)\s*(?:is|should (?:be|read|say)|:|=)|"
    r"(?:写上|写着|文字[是为写用]|标题[是为写用]|文案[是为写用])[:：]?)\s*"
    r"(?!(?:something|anything|a bit|too|not|it|that|what|so|how|the|in|on|at|big|bigger|"
    r"larger|smaller|bold|bolder|darker|lighter|brighter|much|more|less|even|very|really|slightly|centred|centered)\b)"
    r"(\w[^,.;!?，。；！？\n“\"'「]{1,60}?)"
    r"(?=\s*(?:[,.;!?，。；！？\n]|$|\b(?:somewhere|on it|at the|in (?:big|large|bold|small)|too|as well|please)\b))",
    re.IGNORECASE,
)


LONGEST = 2_000
"""Characters that a pattern reads at once: no more is searched, since some of them take the square of it."""


def meant(text: str) -> str:
    """The text without greetings, thanks, remarks and questions to the other side; the rest word for word."""
    return "".join(_wish(sentence) for sentence in _SENTENCE.findall(text)).strip()


def ruled_out(text: str) -> list[str]:
    """What must not be in the picture: "No photos of real people please" rules out photos of real people."""
    found = [match.group(1) or "" for match in [*_found(_NO, text), *_found(_NO_CHINESE, text)]]
    return list(dict.fromkeys(phrase.strip() for phrase in found if phrase.strip()))


def affirmed(text: str) -> str:
    """The text without what it rules out."""
    return _NO_CHINESE.sub("", _NO.sub("", text[:LONGEST])) + text[LONGEST:]


def quoted_in(text: str) -> list[str]:
    """What stands in quotation marks, and so is meant word for word."""
    return [words for words, _, _ in _quotes(text)]


def written_in(text: str) -> list[str]:
    """The words that are to stand on the picture: quoted, or after "can we say", "titled", "写上"."""
    return quoted_in(text) or [match.group(1).strip() for match in _found(_SPOKEN_TEXT, text)]


def titles_in(text: str) -> list[str]:
    """What the text gives as the title; words that shall only be written somewhere are none."""
    return [words for words, before, mark in _quotes(text) if mark == "《" or _NAMES.search(before)]


def names_the_subject(text: str) -> list[str]:
    """Quotations that may name the subject, because nothing says that they are only to be written."""
    quotes = _quotes(text)
    return [words for words, before, _ in quotes if _NAMES.search(before) or not _WRITES.search(before)]


def _quotes(text: str) -> Iterator[tuple[str, str, str]]:
    """Each quotation: its words, what stands before it, and the mark that opens it."""
    for match in _found(_QUOTED, text):
        yield match.group(1) or match.group(2), text[: match.start()], match.group(0)[0]


def _found(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Where the pattern stands in as much of the text as is read."""
    return pattern.finditer(text, 0, LONGEST)


def _wish(sentence: str) -> str:
    """What remains of a sentence once greetings and remarks at its beginning are gone; a question asks for nothing."""
    rest = sentence
    if len(sentence) > LONGEST:
        return sentence
    while rest.strip():
        shorter = _INTERJECTION.sub("", rest, count=1)
        clause = _CLAUSE.match(shorter)
        if clause and clause.group(1).strip() and _REMARK.fullmatch(clause.group(1).strip()):
            shorter = shorter[clause.end() :]
        if shorter == rest:
            break
        rest = shorter
    bare = rest.strip(" \t\n,，.。!！…-")
    return "" if not bare or _ASKS.match(rest.strip()) or _OF_FILES.search(rest) else rest
