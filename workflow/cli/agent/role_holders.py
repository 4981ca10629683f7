"""Who holds the roles that live bundles ask for: one that nobody holds stops every session that comes to its gate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from workflow.bundle import open_bundle
from workflow.cli.agent.check import WARNING, Check, good
from workflow.compose import bundle_folder, open_view
from workflow.local.approvers import Approvers
from workflow.local.clock import SystemClock
from workflow.local.settings import Settings
from workflow.machine.definition import Definition
from workflow.model.errors import BundleError, StoreError

_LATEST_LIVE = 200


def examine_roles(settings: Settings) -> Iterator[Check]:
    """For each role of the bundle that is used, and of those of the latest live sessions, who holds it."""
    held = Approvers(settings.own_folder, SystemClock()).people()
    for definition in _live(settings):
        missing = [role for role in definition.roles if role not in held]
        for role in missing:
            what = f"{definition.workflow}: nobody holds '{role}' ({definition.role(role, definition.languages[0])})"
            hint = "`workflow-admin approver role NAME ROLE` gives it to an approver."
            yield Check("roles", WARNING, what, hint)
        if definition.roles and not missing:
            told = "; ".join(f"{role}: {', '.join(held[role])}" for role in definition.roles)
            yield good("roles", f"{definition.workflow}: {told}")


def _live(settings: Settings) -> Iterator[Definition]:
    """The bundles by their content; one that cannot be opened is told of by other checks."""
    found: dict[str, Definition] = {}
    for folder in dict.fromkeys((str(bundle_folder(None, settings)), *_folders(settings))):
        with suppress(BundleError):
            bundle = open_bundle(Path(folder) if folder else bundle_folder(None, settings))
            found[bundle.digest] = bundle.definition
    yield from found.values()


def _folders(settings: Settings) -> list[str]:
    """Where the bundles of the latest live sessions are."""
    if settings.state is None or not (settings.state / "phasegate.db").exists():
        return []
    try:
        view = open_view(settings=settings)
        with closing(view.store):
            names = [each.name for each in view.sessions(live=True, limit=_LATEST_LIVE)]
            known = (view.store.load(name) for name in names)
            return [session.path for session in known if session]
    except StoreError:  # the check of the store says why
        return []
