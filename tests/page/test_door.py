"""The door of the page: the policy on every answer, no form of others, no host but its own, and nothing by GET."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import ExitStack

import httpx2
import pytest

from tests.page.conftest import Browser, Site, forms, served
from workflow.local.browsers import AUDITOR
from workflow.mcp_server.rate_limit import Pace
from workflow.mcp_server.sockets import Sockets
from workflow.web.front import LARGEST, POLICY
from workflow.web.words import EN, ZH, words_for

Sent = Callable[[Site], httpx2.Response]
ANSWERS: dict[str, tuple[int, Sent]] = {
    "a stranger at the door": (200, lambda site: site.stranger().get("/")),
    "a stranger elsewhere": (403, lambda site: site.stranger().get("/s/anything/question")),
    "a stranger's form": (403, lambda site: site.stranger().post("/s/anything/answer", {})),
    "a link": (200, lambda site: site.stranger().get(f"/pair?link={site.page.browsers.invite('mona')}")),
    "no link": (410, lambda site: site.stranger().get("/pair?link=1")),
    "the inbox": (200, lambda site: site.browser("mona").get("/")),
    "an unknown page": (404, lambda site: site.browser("mona").get("/nowhere")),
    "an unknown session": (404, lambda site: site.browser("mona").get(site.place("calm-fox"))),
    "an address that is none": (404, lambda site: site.browser("mona").get("/s/AAAA/question")),
    "a redirect": (303, lambda site: site.stranger().post("/pair", {"link": site.page.browsers.invite("mona")})),
    "a style sheet": (200, lambda site: site.stranger().get("/static/page.css")),
    "no style sheet": (404, lambda site: site.stranger().get("/static/page.py")),
    "another host": (421, lambda site: site.stranger().get("/", host="evil.example")),
    "another method": (405, lambda site: site.stranger().client.request("DELETE", "/")),
    "another origin": (403, lambda site: site.browser("mona").post("/sign-out", {}, origin="https://evil.example")),
    "no origin": (403, lambda site: site.browser("mona").client.post("/sign-out", data={})),
    "the origin null": (403, lambda site: site.browser("mona").post("/sign-out", {}, origin="null")),
    "a form without its token": (403, lambda site: site.browser("mona").post("/sign-out", {})),
    "a form that is too long": (413, lambda site: site.browser("mona").post("/sign-out", {"x": "y" * LARGEST})),
    "a form that is none": (
        400,
        lambda site: site.browser("mona").client.post("/sign-out", content="%ff", headers={"origin": site.url}),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_has_the_policy(site: Site, name: str) -> None:
    """Whatever is asked: no script, style, frame or form of others, and nothing is kept by the browser."""
    status, sent = ANSWERS[name]
    found = sent(site)
    assert found.status_code == status
    assert {key: found.headers.get(key) for key in POLICY} == POLICY
    assert "script-src 'self'" in POLICY["content-security-policy"] and "unsafe" not in str(POLICY)


def test_a_stranger_learns_nothing(site: Site) -> None:
    """Sessions that exist and those that do not are answered alike, word for word."""
    name = site.begin().session or ""
    places = ["/sessions", "/browsers", site.place(name), site.place(name, "/question"), site.place("calm-fox")]
    found = {site.stranger().get(place).text for place in places}
    assert len(found) == 1 and name not in found.pop()


def test_a_person_learns_nothing_of_what_is_not_theirs(site: Site) -> None:
    """A session that asks them nothing is answered like one that does not exist."""
    name = site.begin().session or ""
    ada = site.browser("ada")
    pages = [
        ada.get(place) for place in (site.place(name), site.place(name, "/question"), site.place(name, "/machine"))
    ]
    pages += [ada.get(site.place("calm-fox")), ada.get("/s/AAAA"), ada.get("/sessions")]
    assert {each.status_code for each in pages} == {404}
    assert len({re.sub(r'value="[^"]*"', "", each.text) for each in pages}) == 1


def test_titles_and_addresses_tell_nothing(site: Site) -> None:
    """No name and no text of a session is in a title, an address or what is logged."""
    name = site.begin(report="Trip to Bonn").session or ""
    erin = site.browser("erin")
    for rest in ("", "/question", "/machine"):
        found = erin.get(site.place(name, rest))
        title = found.text.partition("<title>")[2].partition("</title>")[0]
        assert found.status_code == 200 and name not in title and "Bonn" not in title
        assert name not in str(found.url)
    assert site.page.seals.session(site.page.seals.address(name)) == name


def links(page: str) -> set[str]:
    """The addresses that a page leads to."""
    return {each for each in re.findall(r'(?:href|src)="([^"#]+)"', page) if each.startswith("/")}


def crawl(browser: Browser, start: str) -> set[str]:
    """Every address that can be reached by links, each visited twice."""
    seen, ahead = set[str](), [start]
    while ahead:
        place = ahead.pop()
        if place in seen:
            continue
        seen.add(place)
        first, second = browser.get(place), browser.get(place)
        assert first.status_code == second.status_code == 200, place
        ahead += links(first.text)
    return seen


def test_every_link_visited_twice_changes_nothing(site: Site) -> None:
    """Journals, the list of browsers and the secret are the same byte for byte."""
    names = [site.begin().session or "", site.begin(big=True).session or ""]
    people = [site.browser("erin"), site.browser("", AUDITOR), site.browser("ada")]

    def everything() -> object:
        journals = [site.journal(name) for name in names]
        return journals, site.store.verify().receipt, site.page.browsers.path.read_bytes()

    before = everything()
    visited = [crawl(each, "/") for each in people]
    assert {site.place(names[0], rest) for rest in ("", "/question", "/machine")} <= visited[0]
    assert "/sessions" in visited[1] and everything() == before


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{1337*1337}}\u202e${x}\n</textarea><b>│ ours"


OWN_SCRIPT = '<script src="/static/page.js" defer></script>'


def test_hostile_words_are_text(site: Site) -> None:
    """They stand marked and escaped, with what would turn letters around written out, wherever they are shown."""
    name = site.begin(report=HOSTILE).session or ""
    erin = site.browser("erin", **{"user-agent": HOSTILE.encode("ascii", "ignore").decode().replace("\n", "")})
    shown = [erin.get(each).text for each in ("/", "/browsers", site.place(name), site.place(name, "/question"))]
    auditor = site.browser("", AUDITOR)
    shown += [auditor.get(each).text for each in ("/sessions", site.place(name))]
    for page in (each.replace(OWN_SCRIPT, "") for each in shown):
        assert "<script" not in page and "<img" not in page and "\u202e" not in page and "1787569" not in page
        assert "&lt;script&gt;" in page
    assert '<span class="foreign"><span class="margin">│ </span>' in shown[3] and "\\u{202e}" in shown[3]
    (form,) = erin.asked(name)
    came = erin.send(name, form, answer="no", reason=HOSTILE)
    assert "<script" not in came.text.replace(OWN_SCRIPT, "")
    assert forms(erin.get(site.place(name, "/question")).text, "/answer")


def test_too_many_requests_are_turned_away(site: Site) -> None:
    """Each person has a pace and room of their own; others are not kept waiting."""
    with served(site, pace=Pace(burst=3, per_second=0.001)):
        mona, max_ = site.browser("mona"), site.browser("max")
        found = [mona.get("/").status_code for _ in range(5)]
        assert found == [200, 200, 200, 429, 429] and max_.get("/").status_code == 200
        assert int(mona.get("/").headers["retry-after"]) > 0
        assert site.stranger().get("/").status_code == 200


def test_headers_have_little_time_and_strangers_little_room(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of the broker's connections are those of browsers: a slow one and the oldest stranger are closed."""
    monkeypatch.setattr("workflow.mcp_server.sockets.HEADER_SECONDS", 0.2)
    with served(site, sockets=Sockets(strangers=2)), ExitStack() as held:
        slow = held.enter_context(socket.create_connection(("127.0.0.1", site.port), 30))
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x")
        assert slow.recv(1) == b""
        strangers = [site.stranger() for _ in range(3)]
        assert {each.get("/").status_code for each in strangers} == {200}
        oldest = held.enter_context(socket.create_connection(("127.0.0.1", site.port), 30))
        for each in strangers:
            each.get("/")
        assert oldest.recv(1) == b""


def test_both_languages_say_the_same() -> None:
    """Each text is in both, and takes the same values."""
    assert EN.keys() == ZH.keys()
    fields = {key: (set(re.findall(r"\{\w*\}", EN[key])), set(re.findall(r"\{\w*\}", ZH[key]))) for key in EN}
    assert {key: found for key, found in fields.items() if found[0] != found[1]} == {}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr,en;q=0.3,zh;q=0.5", "zh"),
        ("de,fr", "en"),
        ("EN-gb", "en"),
        (";;;,zh;q=x,,", "en"),
        ("*", "en"),
    ],
)
def test_the_page_speaks_the_browsers_language(site: Site, header: str, language: str) -> None:
    """As far as the engine speaks it; anything odd is English."""
    assert words_for(header)["language"] == language
    page = site.stranger(**{"accept-language": header}).get("/").text
    assert f'<html lang="{language}">' in page and {"en": "Sign in", "zh": "登录"}[language] in page
