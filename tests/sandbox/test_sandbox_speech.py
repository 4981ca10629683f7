"""What the offline service makes of the way people talk: greetings, remarks, questions and a "no" are no wishes."""

from __future__ import annotations

import pytest

from phases.anygen.sandbox.conversation import Said, answer
from phases.anygen.sandbox.picture import scene_of
from phases.anygen.sandbox.speech import meant, ruled_out, written_in
from phases.anygen.sandbox.topics import answers
from phases.anygen.sandbox.words import effects_of, subject_of

MEANT = [  # what was said, and what of it is meant for the picture
    ("Hi! I need a poster for our film night. Can you make one?", "I need a poster for our film night."),
    ("Hello there, can you make me a logo in blue", "can you make me a logo in blue"),
    ("good morning! A banner, please", "A banner, please"),
    ("ok make the date big then", "make the date big then"),
    ("looks about right but can we say 'Bring a blanket' somewhere", "can we say 'Bring a blanket' somewhere"),
    ("oh nice. Can the sky be more purple?", "Can the sky be more purple?"),
    ("no wait. Warm colours", "Warm colours"),
    ("ugh why so many questions. skip the questions", ""),
    ("Should the date be big? What do you think?", ""),
    ("how long does this take usually?", ""),
    ("thx bye", ""),
    ("perfect, love it!", ""),
    ("great, you are amazing, best bot ever", ""),
    ("Just create it", ""),
    ("A3 I guess?", "A3 I guess?"),
    ("What about a cat?", "What about a cat?"),
    ("a logo for my band. also what's the weather in leeds tmrw", "a logo for my band."),
    ("Hello Kitty in a forest", "Hello Kitty in a forest"),
    ("You are invited to our party", "You are invited to our party"),
    ("This is for my shop, blue", "This is for my shop, blue"),
    ("Cool blues and no text", "Cool blues and no text"),
    ("Version 2.0 of our app icon", "Version 2.0 of our app icon"),
    ("你好,帮我做一张咖啡店开业海报", "帮我做一张咖啡店开业海报"),
    ("您好！我想要一个红色的标志", "我想要一个红色的标志"),
    ("嗯 不错", ""),
    ("好了吗?", ""),
    ("为什么要收费?多少钱?", ""),
    ("可以,就这样做", ""),
    ("你看着办吧", ""),
    ("没事了,谢谢", ""),
    ("logo那张先别上传,还没定稿。店面那张可以传", ""),
    ("可以把背景改成蓝色吗?", "可以把背景改成蓝色吗?"),
    ("好吃的面包店海报", "好吃的面包店海报"),
    ("Bonjour, je voudrais une bannière", "je voudrais une bannière"),
    ("c'est quoi la taille pour linkedin?", ""),
    ("merci, au revoir", ""),
    ("Guten Tag, ich brauche ein Plakat", "ich brauche ein Plakat"),
    ("春のポスターをお願いします", "春のポスターをお願いします"),
]

RULED_OUT = [  # what was said, and what must not be in the picture
    ("No photos of real people please.", ["photos of real people"]),
    ("no wait", []),
    ("no problem, blue is fine", []),
    ("without any text, and no red", ["text", "red"]),
    ("don't use photos but drawings", ["photos"]),
    ("don't forget the date", []),
    ("not too dark", ["too dark"]),
    ("why not blue", []),
    ("fine without it. go", []),
    ("remove the lanterns and make it green", ["lanterns"]),
    ("No red and make it blue", ["red"]),
    ("pas de personnes. fond clair", ["personnes"]),
    ("ohne Text, bitte", ["Text"]),
    ("不要真人照片，谢谢", ["真人照片"]),
    ("别用红色", ["红色"]),
    ("不要紧", []),
    ("别急", []),
    ("先别上传", []),
]

WRITTEN = [
    ('can we say "Bring a blanket" somewhere', ["Bring a blanket"]),
    ("can we say 'Bring a blanket' somewhere", ["Bring a blanket"]),
    ("can we say Bring a blanket somewhere", ["Bring a blanket"]),
    ('文字写"第一杯免费"', ["第一杯免费"]),
    ("文字写第一杯免费", ["第一杯免费"]),
    ("titled Harbour Jazz, in blue", ["Harbour Jazz"]),
    ('mon slogan "Des fleurs qui parlent"', ["Des fleurs qui parlent"]),
    ("don't make it the kids' party", []),
    ("the title is a bit small", []),
    ("the title should be much bigger", []),
    ("the text should be at the top", []),
    ("the headline should be bolder", []),
]

SUBJECTS = [
    ("Hi! I need a poster for our village's summer film night. Can you make one?", "village's summer film night"),
    ("i need a logo thing for my band, the Rusty Kettles. also what's the weather", "the Rusty Kettles"),
    ("A poster for a jazz night", "jazz night"),
    ("你好,帮我做一张咖啡店开业海报,我有两张参考图", "咖啡店开业"),
    ("Bonjour, je voudrais une bannière pour ma page LinkedIn", "page LinkedIn"),
]


@pytest.mark.parametrize(("said", "wish"), MEANT)
def test_only_what_is_meant_for_the_picture_remains(said: str, wish: str) -> None:
    """Greetings, thanks, remarks and questions go; a wish stays word for word."""
    assert meant(said) == wish


@pytest.mark.parametrize(("said", "phrases"), RULED_OUT)
def test_a_negation_rules_something_out(said: str, phrases: list[str]) -> None:
    """What comes after "no" must not be in the picture, unless the "no" is only a manner of speaking."""
    assert ruled_out(said) == phrases
    assert answers("avoid", said) == phrases


@pytest.mark.parametrize(("said", "words"), WRITTEN)
def test_words_for_the_picture_are_recognised(said: str, words: list[str]) -> None:
    """Quoted words, and those after "can we say", are to be written on the picture."""
    assert written_in(said) == words


@pytest.mark.parametrize(("said", "subject"), SUBJECTS)
def test_a_greeting_is_no_subject(said: str, subject: str) -> None:
    """The subject is what the picture is about."""
    assert subject_of(said) == subject


INTRODUCED = [  # a first message, and how the answer speaks of the picture
    ("I need a poster for our village's summer film night.", "a poster for “our village's summer film night”."),
    ("a logo thing for my band, the Rusty Kettles.", "a logo for “the Rusty Kettles”."),
    ("A poster for a jazz night", "a poster for “a jazz night”."),
    ("A poster about the sea", "a poster about “the sea”."),
    ("An icon of a kettle", "an icon of “a kettle”."),
    ("A poster, titled “Night Train”", "a poster about “Night Train”."),
]


@pytest.mark.parametrize(("said", "introduced"), INTRODUCED)
def test_a_picture_is_spoken_of_as_the_user_does(said: str, introduced: str) -> None:
    """Both where it is asked about and where the plan is ready: with their preposition and article."""
    assert f"Gladly: {introduced} " in answer(Said([said], []), 2).reply
    assert f"the plan for {introduced.removesuffix('.')} is ready." in answer(Said([said, "blue"], []), 2).reply


def test_a_name_that_was_given_is_not_asked_for() -> None:
    """Only whether it stands on the logo; where none was given, it is asked for."""
    asked = answer(Said(["a logo for my band, the Rusty Kettles"], []), 2).reply
    assert "Should “the Rusty Kettles” be on the logo" in asked and "Which name" not in asked
    assert "Which name or initials" in answer(Said(["a logo for my band"], []), 2).reply
    assert "名称" not in answer(Said(["帮我设计一个标志，叫“春风”"], []), 2).reply


@pytest.mark.parametrize("text", ["make the date big then", "make the title bigger", "make the text bold, please"])
def test_an_instruction_is_no_lettering(text: str) -> None:
    """What is said about the words is none of them."""
    assert answers("lettering", text) == []


@pytest.mark.parametrize(("said", "end"), [("make it blue.", "blue”."), ("更蓝一些。", "更蓝一些”。")])
def test_a_change_is_cited_with_one_full_stop(said: str, end: str) -> None:
    """Its own is left out before that of the sentence."""
    first = "海报" if end.endswith("。") else "A poster"
    assert answer(Said([first, "A3", said], []), 2).reply.endswith(end)


def plan(*texts: str) -> dict[str, str]:
    """The sections of the plan once all texts have been said."""
    prompt = answer(Said(list(texts), []), 2).prompt
    title, *sections = prompt.split("\n\n## ")
    return {"title": title, **dict(section.split("\n", 1) for section in sections)}


def test_what_is_ruled_out_is_avoided_and_no_style() -> None:
    """ "No photos" is nothing that the style may be, "no wait" is no wish, and a blanket is no title."""
    made = plan(
        "Hi! I need a poster for our village's summer film night. Can you make one?",
        "hm, it's outdoors, 18 July, starts at dusk. Free entry. A3 I guess?",
        "ok make the date big then. No photos of real people please.",
        "no wait",
        "looks about right but can we say 'Bring a blanket' somewhere",
    )
    assert made["title"] == "# Poster: village's summer film night"
    assert made["Avoid"] == "photos of real people"
    assert "photo" not in made["Style"]
    assert made["Lettering"] == "18 July, starts at dusk, Free entry, “Bring a blanket”"
    assert made["Format and use"] == "A3"
    assert not any(word in section for section in made.values() for word in ("Hi!", "no wait", "Can you make one"))


def test_a_picture_without_words_has_none() -> None:
    """A plan neither asks for lettering that was ruled out, nor plans it."""
    made = plan("A poster for a film night, no text", "green")
    assert (made["Lettering"], made["Avoid"]) == ("no words at all", "text")
    assert "Which words" not in answer(Said(["A poster for a film night, no text"], []), 2).reply


def test_at_most_two_questions_are_asked_and_nothing_twice() -> None:
    """A first request is answered with two questions, and what was told already is not among them."""
    reply = answer(Said(["A poster for a book sale on Saturday, hand-drawn, warm colours"], []), 2).reply
    asked = [line for line in reply.splitlines() if line[:1].isdigit()]
    assert 1 <= len(asked) <= 2
    assert not any(word in line for line in asked for word in ("colours", "Which words", "style"))


def test_small_talk_alone_makes_no_plan() -> None:
    """As long as nothing was said about a picture there is nothing to plan, however often it is said."""
    for texts in (["Hi!"], ["Hi!", "thanks", "how are you?"]):
        turn = answer(Said(texts, []), 1)
        assert (turn.prompt, turn.reply) == ("", "Gladly. What should the picture show, and what is it for?")
    assert answer(Said(["你好"], []), 1).reply == "好的。您想要一张什么样的图片？用在哪里？"


def test_a_remark_after_the_plan_changes_nothing() -> None:
    """The plan says that it is as it was, instead of working "thanks" into it."""
    before = answer(Said(["A poster for a film night", "blue"], []), 2)
    after = answer(Said(["A poster for a film night", "blue", "oh nice, thanks!"], []), 2)
    assert after.prompt == before.prompt
    assert after.reply == "The plan is as it was: nothing in it had to change."


def test_the_drawing_heeds_what_is_ruled_out() -> None:
    """A colour or an effect that is ruled out does not show in the picture."""
    blue = scene_of("# Poster: x\n\n## Colour and mood\nblue\n\n## Avoid\nred, dark corners", [])
    assert blue.hues[0][0] == 216 and "darker" not in blue.effects
    assert [effect.name for effect in effects_of("no border, darker")] == ["darker"]
    assert [effect.name for effect in effects_of("make the cake larger")] == []
