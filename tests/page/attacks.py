"""Attacks on the page, counted: forms that were forged, stolen, repeated or sent from elsewhere, and races.

``python -m tests.page.attacks`` prints how many were tried, and how many answered anything; it ends with 1 if one did.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from tests import signing
from tests.page.conftest import Browser, Site, opened
from workflow.local.browsers import AUDITOR
from workflow.model.session import Turn

Form = Mapping[str, str]


class Target:
    """A site with a report that waits for its manager, and everybody who would like to answer in her place."""

    def __init__(self, site: Site, chance: random.Random) -> None:
        self.site, self.chance = site, chance
        self.name, self.other = self._waiting(), self._waiting()
        self.mona, self.max, self.ada = (site.browser(each) for each in ("mona", "max", "ada"))
        self.auditor, self.stranger = site.browser("", AUDITOR), site.stranger()
        self.form = self.form_of(self.mona, self.name)

    def _waiting(self) -> str:
        name = self.site.begin().session or ""
        assert self.site.browser("erin").answer(name, "submit").status_code == 303
        self.site.settled(name)
        return name

    @staticmethod
    def form_of(browser: Browser, name: str) -> Form:
        """The form of the approval as this browser is shown it."""
        return next(each for each in browser.asked(name) if each["event"] == "approve")

    def changed(self, field: str) -> Form:
        """The form with one character of a field exchanged, added or taken away."""
        text = self.form[field]
        at = self.chance.randrange(len(text) + 1)
        return {**self.form, field: text[:at] + self.chance.choice("AZaz09-_") + text[at + self.chance.randrange(2) :]}


def _forged(target: Target, field: str) -> None:
    form = target.changed(field)
    if form != target.form:
        target.mona.send(target.name, form)


ATTACKS: Mapping[str, Callable[[Target], object]] = {
    "a code with another character": lambda target: _forged(target, "code"),
    "another moment": lambda target: _forged(target, "at"),
    "another event": lambda target: target.mona.send(
        target.name, {**target.form, "event": target.chance.choice(["pay", "submit", "change", "cancel", "lost"])}
    ),
    "the token of another browser": lambda target: target.max.send(target.name, target.form),
    "the form of another browser": lambda target: target.max.send(
        target.name, {**target.form, "form": target.form_of(target.max, target.name)["form"]}
    ),
    "the form of another session": lambda target: target.mona.send(
        target.name, target.form_of(target.mona, target.other)
    ),
    "somebody without the role": lambda target: target.ada.send(target.name, target.form),
    "an auditor": lambda target: target.auditor.send(target.name, target.form),
    "a stranger": lambda target: target.stranger.send(target.name, target.form),
    "another origin": lambda target: target.mona.post(
        target.site.place(target.name, "/answer"), {**target.form, "answer": "yes"}, origin="https://evil.example"
    ),
    "another host": lambda target: target.mona.post(
        target.site.place(target.name, "/answer"), {**target.form, "answer": "yes"}, host="evil.example"
    ),
    "a GET with the form": lambda target: target.mona.client.get(
        target.site.place(target.name, "/answer"), params={**target.form, "answer": "yes"}
    ),
    "an address with another character": lambda target: target.mona.send(
        target.chance.choice(["calm-fox", "", "x" * 300]), target.form
    ),
}
"""What is tried → how. Each is to leave every journal as it was."""


def attack(folder: Path, rounds: int, seed: int = 1) -> Iterator[tuple[str, int, int]]:
    """Each attack, how often it was tried, and how often a journal was another one afterwards."""
    with opened(folder) as site:
        target = Target(site, random.Random(seed))
        before = [site.journal(name) for name in (target.name, target.other)]
        for name, play in ATTACKS.items():
            changed = 0
            for _ in range(rounds):
                play(target)
                changed += [site.journal(each) for each in (target.name, target.other)] != before
            yield name, rounds, changed
        assert target.mona.send(target.name, target.form).status_code == 303, "the true form has to answer"


def race(folder: Path, rounds: int) -> Counter[str]:
    """Page against chat: both answer the same question in the same moment, and both are told what came of it.

    Counts who came first, and what must not be: two answers that count, or somebody who was told nothing.
    """
    found: Counter[str] = Counter()
    bundle = signing.write(folder / "signing", signing.document([("ann",)]))
    with opened(folder, bundle) as site, ThreadPoolExecutor(2) as pool:
        mona = site.browser("mona")
        for _ in range(rounds):
            found += _round(site, mona, pool)
    return found


def _round(site: Site, mona: Browser, pool: ThreadPoolExecutor) -> Counter[str]:
    reply = site.start(amount=420)
    name, engine, both = reply.session or "", site.engine(), Barrier(2)
    (form,) = [each for each in mona.asked(name) if each["event"] == "sign_ann"]
    turn = Turn("sign_ann", quote="yes, please", seen=reply.seen)

    def chat() -> bool:
        both.wait()
        return engine.advance(name, turn, wait=30.0).error is None

    def page() -> str:
        both.wait()
        came = mona.send(name, form)
        if came.status_code == 303:
            return "counts"
        told = "It was decided elsewhere" in came.text or "Your answer was not taken" in came.text
        return "told" if came.status_code == 409 and told else f"odd: {came.status_code}"

    chatted, paged = pool.submit(chat), pool.submit(page)
    by_chat, by_page = chatted.result(), paged.result()
    site.settled(name)
    given = [each for entry in site.journal(name, "event") for each in (entry.body or {})["evidence"]]
    counted = Counter({"rounds": 1, "the chat came first": by_chat, "the page came first": by_page == "counts"})
    odd = len(given) != 1 or by_chat == (by_page == "counts") or by_page not in ("counts", "told")
    return counted + Counter({"not one answer, or somebody was not told": int(odd)})


def main() -> int:
    """Print the counts."""
    asked = argparse.ArgumentParser(prog="python -m tests.page.attacks", description=main.__doc__)
    asked.add_argument("--rounds", type=int, default=100, help="of each attack, and of the race")
    rounds, bad = asked.parse_args().rounds, 0
    with tempfile.TemporaryDirectory(prefix="page-attacks-") as name:
        for each, tried, changed in attack(Path(name) / "attacks", rounds):
            print(f"{each:<42} {tried:>6} tried {changed:>4} answered", flush=True)
            bad += changed
        for what, count in race(Path(name) / "race", rounds).items():
            print(f"page against chat: {what:<42} {count:>6}", flush=True)
            bad += count if what.startswith("not one") else 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
