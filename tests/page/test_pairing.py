"""Pairing a browser: a link works once, by a button alone, and what it made can be seen and undone."""

from __future__ import annotations

import json

import pytest

from tests.page.conftest import Site, forms
from tests.playing import HandClock
from workflow.local.browsers import AUDITOR, BROWSER_SECONDS, LINK_SECONDS, MOST_BROWSERS, MOST_LINKS, Browsers


def test_a_look_at_a_link_pairs_nothing(site: Site) -> None:
    """Previews and scanners fetch links: only the button uses one up, and it does so once."""
    link = site.page.browsers.invite("mona")
    before, scanner, phone = site.page.browsers.path.read_bytes(), site.stranger(), site.stranger()
    for _ in range(2):
        came = scanner.get(f"/pair?link={link}")
        assert came.status_code == 200 and "signs this browser in as mona" in came.text
        assert "set-cookie" not in came.headers
    assert site.page.browsers.path.read_bytes() == before
    paired = phone.post("/pair", {"link": link})
    assert paired.status_code == 303 and paired.headers["location"] == "/"
    assert "Signed in as mona" in phone.get("/").text
    assert scanner.post("/pair", {"link": link}).status_code == 410
    assert scanner.get(f"/pair?link={link}").status_code == 410


@pytest.mark.parametrize("link", ["", "0" * 64, "x", "\udcff".encode("utf-8", "surrogatepass").hex()])
def test_a_link_that_is_none(site: Site, link: str) -> None:
    """What was never one and what was used up are answered alike."""
    came = site.stranger().get(f"/pair?link={link}")
    assert came.status_code == 410 and "This link does not work (any more)" in came.text
    assert site.stranger().post("/pair", {"link": link}).status_code == 410


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_another_site_pairs_nobody(site: Site, origin: str) -> None:
    """A form that comes from elsewhere, or does not say from where, is turned away; the link stays as it was."""
    link = site.page.browsers.invite("mona")
    assert site.stranger().post("/pair", {"link": link}, origin=origin).status_code == 403
    assert site.stranger().post("/pair", {"link": link}).status_code == 303


def test_the_cookie_is_for_this_site_alone(site: Site) -> None:
    """No script reads it, no other site sends it, and over TLS it is bound to the host."""
    plain, phone = site.page.browsers.invite("mona"), site.page.browsers.invite("mona")
    cookie = site.stranger().post("/pair", {"link": plain}).headers["set-cookie"].lower()
    assert cookie.startswith("phasegate=") and "httponly" in cookie and "samesite=strict" in cookie
    assert "path=/" in cookie and "secure" not in cookie
    origin = site.url.replace("http://", "https://")
    cookie = site.stranger().post("/pair", {"link": phone}, origin=origin).headers["set-cookie"].lower()
    assert cookie.startswith("__host-phasegate=") and "secure" in cookie and "path=/" in cookie


def test_only_digests_are_kept(site: Site) -> None:
    """Neither a link nor a cookie can be made from the file, which nobody else can read."""
    link = site.page.browsers.invite("mona")
    mona = site.browser("mona")
    cookie = mona.client.cookies["phasegate"]
    content = site.page.browsers.path.read_text()
    assert link not in content and cookie not in content and "mona" in content
    assert site.page.browsers.path.stat().st_mode & 0o777 == 0o600


def test_browsers_are_listed_and_signed_out(site: Site) -> None:
    """Each person sees their own, and signs out another of them or this one."""
    phone, laptop = site.browser("mona", **{"user-agent": "Phone <b>1"}), site.browser("mona")
    site.browser("max")
    page = laptop.get("/browsers").text
    assert "“Phone &lt;b&gt;1”" in page and page.count("/browsers/revoke") == 2
    others = {each.id: each for each in site.page.browsers.listed()}
    (theirs,) = [each for each in others.values() if each.person == "max"]
    (mine,) = [each for each in others.values() if each.agent.startswith("Phone")]
    form = forms(page, "/browsers/revoke")[0]
    assert laptop.post("/browsers/revoke", {**form, "browser": theirs.id}).status_code == 404
    assert laptop.post("/browsers/revoke", {**form, "browser": mine.id}).status_code == 303
    assert "Sign in" in phone.get("/").text
    assert "You are signed out" in laptop.post("/sign-out", {"form": form["form"]}).text
    assert "Sign in" in laptop.get("/").text
    assert [each.person for each in site.page.browsers.listed()] == ["max"]


def test_who_is_no_approver_any_more_is_a_stranger(site: Site) -> None:
    """Their browser is not asked twice: the next request finds a sign-in page."""
    mona = site.browser("mona")
    del site.people["mona"]
    assert "Sign in" in mona.get("/").text
    assert mona.get("/browsers").status_code == 403


def test_nobody_in_particular_is_let_in_only_alone(site: Site) -> None:
    """A link of `workflow page` pairs no browser with a page that others can reach."""
    link = site.page.browsers.invite("")
    assert site.stranger().get(f"/pair?link={link}").status_code == 410
    browser = site.stranger()
    browser.post("/pair", {"link": link})
    assert "Sign in" in browser.get("/").text
    site.page.alone = True
    assert "Nothing waits for you" in browser.get("/").text


def test_an_auditor_needs_no_approver(site: Site) -> None:
    """They are told what they may do."""
    assert "You see every session and answer nothing" in site.browser("", AUDITOR).get("/").text


def test_a_link_from_elsewhere_is_opened_again_by_the_browser(site: Site) -> None:
    """A strict cookie is not sent with it: the page asks once more by itself, and shows a stranger nothing."""
    came = site.stranger().get("/s/x/question", **{"sec-fetch-site": "cross-site"})
    assert came.status_code == 200 and '<meta http-equiv="refresh" content="0">' in came.text
    again = site.stranger().get("/s/x/question", **{"sec-fetch-site": "same-origin"})
    assert again.status_code == 403 and "refresh" not in again.text


@pytest.fixture
def browsers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Browsers, HandClock]:
    """The file in a folder of its own, on a clock that is set by hand."""
    clock = HandClock()
    return Browsers(tmp_path_factory.mktemp("own") / "config", clock), clock


def test_links_and_browsers_end(browsers: tuple[Browsers, HandClock]) -> None:
    """By either clock; a clock that was set back voids them."""
    known, clock = browsers
    late = known.invite("mona")
    cookie, _ = known.pair(known.invite("mona"), "") or ("", None)
    clock.wall -= 1
    assert known.link(late) is None and known.find(cookie) is None
    clock.wall += 1
    assert known.link(late) is not None and known.find(cookie) is not None
    clock.pass_(LINK_SECONDS + 1)
    assert known.link(late) is None and known.pair(late, "") is None and known.find(cookie) is not None
    clock.boot, clock.boot_id = 5.0, "boot-2"
    assert known.find(cookie) is not None
    clock.pass_(BROWSER_SECONDS)
    assert known.find(cookie) is None and known.listed() == ()


def test_links_and_browsers_are_bounded(browsers: tuple[Browsers, HandClock]) -> None:
    """The oldest link makes room, and of one person's browsers the first; nobody else's."""
    known, _ = browsers
    first = known.invite("mona")
    for _ in range(MOST_LINKS):
        known.invite("max")
    assert known.link(first) is None
    other, _ = known.pair(known.invite("max"), "") or ("", None)
    cookies = [(known.pair(known.invite("mona"), str(n)) or ("", None))[0] for n in range(MOST_BROWSERS + 2)]
    assert [known.find(each) is None for each in cookies[:3]] == [True, True, False]
    assert known.find(other) is not None and len(known.listed()) == MOST_BROWSERS + 1


ODD = [
    "",
    "[]",
    "null",
    "{}",
    '{"links": 5, "browsers": []}',
    '{"links": [], "browsers": [{}]}',
    '{"links": [], "browsers": [{"id": 1, "sha256": "", "person": "", "scope": "", "paired": [1, 1, ""]}]}',
    '{"links": [{"sha256": "", "person": "", "scope": "", "made": ["1", 1, ""]}], "browsers": []}',
]


@pytest.mark.parametrize("content", ODD, ids=range(len(ODD)))
def test_a_file_that_is_not_as_it_was_written_lets_nobody_in(site: Site, content: str) -> None:
    """The page says that it cannot be shown, and why is for whoever runs it."""
    mona = site.browser("mona")
    site.page.browsers.path.write_text(content)
    came = mona.get("/")
    assert came.status_code == 503 and "This page cannot be shown now" in came.text


def test_the_file_keeps_what_it_holds(site: Site) -> None:
    """Links and browsers, each with whose they are, and nothing else."""
    site.browser("mona")
    kept = json.loads(site.page.browsers.path.read_text())
    assert set(kept) == {"v", "links", "browsers"} and kept["links"] == []
    assert set(kept["browsers"][0]) == {"id", "sha256", "person", "scope", "paired", "agent"}
