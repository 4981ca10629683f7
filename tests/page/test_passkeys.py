"""Answers that a passkey signs, in Chromium with a virtual authenticator: what counts, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.page.conftest import Site, opened
from tests.page.test_browser import chromium, reported
from workflow.history.proof import prove
from workflow.local import approvers
from workflow.local.approvers import Approvers
from workflow.model.session import Turn

PASSPHRASE = "correct horse battery"


@dataclass
class Signed:
    """A site whose people are in the file of approvers, and come by a name that can hold passkeys."""

    site: Site
    known: Approvers

    @contextmanager
    def phone(self, person: str) -> Iterator[tuple[Page, CDPSession]]:
        """A browser of this person, with an authenticator in it."""
        with chromium(self.site, person) as page:
            session = page.context.new_cdp_session(page)
            session.send("WebAuthn.enable")
            options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
            options |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
            session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
            yield page, session

    def add(self, page: Page, person: str, *, confirmed: bool = True) -> None:
        """Make a passkey by pointer; confirm it as the person does, with their passphrase."""
        page.goto("/browsers")
        page.get_by_label("What this device is called").fill("Phone")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_text("workflow-admin device confirm")).to_be_visible()
        if confirmed:
            (device,) = self.known.find(person).devices
            assert self.known.confirm(person, PASSPHRASE, device.fingerprint, "2026-01-01T00:00:00.000Z").proven
            page.reload()
            expect(page.get_by_text("confirmed", exact=True)).to_be_visible()


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signed]:
    """The gate of the manager takes a signature alone."""
    monkeypatch.setattr(approvers, "COST", 2**4)
    with opened(tmp_path) as site:
        site.url = site.url.replace("127.0.0.1", "localhost")
        known = Approvers(tmp_path / "config", site.clock)
        for name, held in site.people.items():
            known.add(name, PASSPHRASE, "2026-01-01T00:00:00.000Z", held)
        site.page.keys = known
        yield Signed(site, known)


def answered(page: Page, site: Site, name: str) -> None:
    """Three touches: the link, the button, the authenticator, which touches by itself here."""
    page.goto(site.place(name, "/question"))
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_have_text("Your answer is recorded.")


def strengths(site: Site, name: str) -> list[str]:
    """What each answer in the journal is worth."""
    return [each["strength"] for entry in site.journal(name, "event") for each in (entry.body or {})["evidence"]]


def test_a_signed_approval_in_three_touches(signed: Signed) -> None:
    """The gate takes a signature alone: it is paid, and the log proves by whom and on which device."""
    site, name = signed.site, reported(signed.site)
    site.policy["manager_ok"] = "signed"
    with signed.phone("mona") as (page, _):
        signed.add(page, "mona")
        answered(page, site, name)
    assert site.settled(name).status == "done" and len(site.sandbox.requests) == 1
    assert strengths(site, name) == ["asked", "signed"]
    (paid,) = [each for each in prove(site.engine(), name).claims if each.by]
    assert paid.holds and "mona" in str(paid.by) and "signed" in str(paid.by)


def test_an_unconfirmed_device_is_only_asked(signed: Signed) -> None:
    """Nobody has compared its fingerprint: the answer counts for what a paired browser is worth."""
    site, name = signed.site, reported(signed.site)
    with signed.phone("mona") as (page, _):
        signed.add(page, "mona", confirmed=False)
        answered(page, site, name)
    assert strengths(site, name) == ["asked", "asked"]


def test_a_signature_of_before_or_of_somebody_else(signed: Signed) -> None:
    """What mona has signed once answers nothing again, and nothing in the name of max, who has a passkey as well."""
    site, name, other = signed.site, reported(signed.site), reported(signed.site)
    site.policy["manager_ok"] = "signed"
    with signed.phone("mona") as (page, _):
        signed.add(page, "mona")
        with page.expect_request(lambda request: request.url.endswith("/answer")) as sent:
            answered(page, site, name)
        site.settled(name)
        signature = parse_qs(sent.value.post_data or "")["signature"][0]
        repeated(page, site, other, signature)
    with signed.phone("max") as (page, _):
        signed.add(page, "max")
        repeated(page, site, other, signature)
    assert site.settled(other).state == "a.managing" and len(site.sandbox.requests) == 1


def repeated(page: Page, site: Site, name: str, signature: str) -> None:
    """Send an answer with a signature that was made for another one, and be told that it is not taken."""
    page.goto(site.place(name, "/question"))
    page.eval_on_selector("[name=signature]", "(field, value) => { field.value = value }", signature)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_plan_that_changed_between_look_and_touch(signed: Signed) -> None:
    """What was signed is not what is asked: nothing is approved."""
    site, name = signed.site, reported(signed.site)
    site.policy["manager_ok"] = "signed"
    with signed.phone("mona") as (page, _):
        signed.add(page, "mona")
        page.goto(site.place(name, "/question"))
        engine = site.engine()
        engine.advance(name, Turn("change", {"report": "Rome", "amount": 9000}, seen=engine.status(name).seen))
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("heading", name="What is asked has changed since you opened it")).to_be_visible()
    assert site.settled(name).state == "a.submitting" and not site.sandbox.requests
