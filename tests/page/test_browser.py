"""The page in a real browser, Debian's Chromium: by pointer, by keyboard, without scripts, for every reader."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.node import missing, node_path
from tests.page.conftest import Site
from tests.page.test_door import HOSTILE
from workflow.local.browsers import AUDITOR
from workflow.web import front

WIDTHS = (390, 800, 1400)
INSTALLS = "make .venv/.cache/node/.axe"


@contextmanager
def chromium(site: Site, person: str = "", scope: str = "approver", **given: Any) -> Iterator[Page]:
    """A window of a browser that this person has paired by pointer; without a person, of a stranger.

    What the browser complains about, such as a script that the policy stops, fails the test.
    """
    found = shutil.which("chromium")
    if found is None:
        missing("chromium is not here")
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        context = window.new_context(base_url=site.url, viewport={"width": 390, "height": 800}, **given)
        page, said = context.new_page(), list[str]()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"a dialog: {dialog.message}"))
        if person or scope == AUDITOR:
            page.goto(f"/pair?link={site.page.browsers.invite(person, scope)}")
            page.locator("button.primary").click()
            expect(page).to_have_url(f"{site.url}/")
        yield page
        window.close()
    assert [each for each in said if "status of 4" not in each] == []


def reported(site: Site, **given: Any) -> str:
    """A report that waits for its manager."""
    name = site.begin(**given).session or ""
    assert site.browser("erin").answer(name, "submit").status_code == 303
    site.settled(name)
    return name


def test_a_whole_conversation_is_approved_from_the_page(site: Site) -> None:
    """Link, button, question, answer: the employee submits, the manager approves, and it is paid."""
    name = site.begin().session or ""
    with chromium(site, "erin") as page:
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name="A question for the employee")).to_be_visible()
        page.get_by_label("In your own words, if you like").fill("It is mine")
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_role("status")).to_have_text("Your answer is recorded.")
    site.settled(name)
    with chromium(site, "mona") as page:
        page.get_by_role("link", name=name).click()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_have_text("Your answer is recorded.")
    assert site.settled(name).status == "done" and len(site.sandbox.requests) == 1


def test_it_works_without_scripts_and_by_keyboard(site: Site) -> None:
    """A no with its reason, by nothing but keys."""
    name = reported(site)
    with chromium(site, "mona", java_script_enabled=False) as page:
        page.get_by_role("link", name=name).focus()
        page.keyboard.press("Enter")
        page.get_by_text("Say no").first.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("The hotel is missing")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("Your answer is recorded.")
    (declined,) = (site.journal(name, "event")[-1].body or {})["declined"]
    assert declined["quote"] == "The hotel is missing" and site.settled(name).state == "a.rejected"


def places(site: Site, name: str) -> list[str]:
    """Every page that a person can come to."""
    return [
        "/",
        "/browsers",
        "/sessions",
        "/nowhere",
        *(site.place(name, each) for each in ("", "/question", "/machine")),
    ]


def axe() -> str:
    """The script that finds what some reader cannot read."""
    file = Path(node_path()) / "axe-core/axe.min.js"
    if not file.exists():
        missing(f"axe-core is not here; `{INSTALLS}` installs it")
    return file.read_text(encoding="utf-8")


def violations(page: Page, script: str) -> list[str]:
    """What axe finds on this page; it is put in by the debugger, which no policy binds."""
    page.evaluate(script)
    found = page.evaluate("() => axe.run(document)")
    return [f"{page.url}: {each['id']}: {each['nodes'][0]['html'][:120]}" for each in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Site, scheme: str) -> None:
    """Contrast, names, order and landmarks of every page, in both schemes; also of problems and of strangers."""
    script, name, found = axe(), reported(site, report=HOSTILE), list[str]()
    with chromium(site, "mona", color_scheme=scheme) as page:
        for place in places(site, name):
            page.goto(place)
            found += violations(page, script)
        page.goto(site.place(name, "/question"))
        page.get_by_text("Say no").first.click()
        page.get_by_role("button", name="Say no").click()
        expect(page.get_by_role("alert")).to_be_visible()
        found += violations(page, script)
    with chromium(site, color_scheme=scheme) as page:
        for place in ("/", f"/pair?link={site.page.browsers.invite('mona')}", "/pair?link=1"):
            page.goto(place)
            found += violations(page, script)
    assert found == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_nothing_scrolls_sideways(site: Site, language: str) -> None:
    """At the width of a phone, a tablet and a desk, with words that have no place to be broken."""
    name = reported(site, report=f"{HOSTILE} {'x' * 400} {'长' * 200}")
    wide = []
    with chromium(site, "mona", locale=language) as page:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for place in places(site, name):
                page.goto(place)
                if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                    wide.append((width, place))
    assert wide == []


def test_hostile_words_run_nothing_with_the_policy_removed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy is the second line: the words are text by themselves, wherever a person meets them."""
    monkeypatch.setattr(front, "POLICY", {})
    hostile = f"{HOSTILE}<svg/onload=alert(3)>' onfocus=alert(4) autofocus x='<a href=javascript:alert(5)>"
    name = reported(site, report=hostile)
    with chromium(site, "mona", user_agent="<script>alert(6)</script>") as page:
        answer = page.goto("/")
        assert answer is not None and "content-security-policy" not in answer.headers
        for place in places(site, name):
            page.goto(place)
            assert page.locator("main script, main img, main svg[onload], [onfocus], [href^=javascript]").count() == 0
        page.goto(site.place(name, "/question"))
        expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
        page.get_by_text("Say no").first.click()
        page.get_by_label("Why not? It is passed on as you write it.").fill(hostile)
        page.get_by_role("button", name="Say no").click()
        expect(page.get_by_role("status")).to_be_visible()


def test_a_strict_cookie_survives_a_link_from_elsewhere(site: Site) -> None:
    """A link in a webmail: the browser asks once more by itself, and the person is signed in."""
    name = reported(site)
    with chromium(site, "mona") as page:
        elsewhere = f"<a href='{site.url}{site.place(name, '/question')}'>open</a>"
        page.route("http://mail.example/**", lambda route: route.fulfill(body=elsewhere, content_type="text/html"))
        page.goto("http://mail.example/")
        page.get_by_role("link", name="open").click()
        expect(page.get_by_role("button", name="Approve")).to_be_visible()


def test_the_context_keeps_no_secret_for_scripts(site: Site) -> None:
    """No cookie can be read by a script, and nothing is stored."""
    with chromium(site, "mona") as page:
        kept = page.evaluate("() => [document.cookie, localStorage.length, sessionStorage.length]")
        context: BrowserContext = page.context
        (cookie,) = context.cookies()
    assert kept == ["", 0, 0] and cookie["httpOnly"] and cookie["sameSite"] == "Strict", json.dumps(kept)
