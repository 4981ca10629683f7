"""``workflow-admin device``: the passkeys of approvers, which sign nothing before their person has confirmed them."""

from __future__ import annotations

from typing import NamedTuple

import click

from workflow.cli import console
from workflow.cli.answer import give, json_option, print_json
from workflow.cli.completion import complete_device
from workflow.cli.people import approver as people
from workflow.cli.people.dialog import need_terminal
from workflow.local.approvers import Approvers, Device
from workflow.local.clock import SystemClock
from workflow.machine.foreign import inline
from workflow.model.errors import UsageError
from workflow.model.instant import iso
from workflow.model.reply import VERSION, Failure, Reply
from workflow.show.times import minute

SHORTEST = 4
"""Digits of a fingerprint that name a device."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, short_help="Devices that sign for approvers.")
def device() -> None:
    """Devices whose passkeys sign the answers of approvers: list, confirm and revoke them.

    A device is paired on the page. What it signs counts as `signed` once its person has confirmed its fingerprint with
    their passphrase, and as `asked` until then.

    \b
    Examples:
      workflow-admin device list
      workflow-admin device confirm 3f2a-91bc
      workflow-admin device revoke 3f2a-91bc
    """


class _Paired(NamedTuple):
    """A device, and whose it is."""

    approver: str
    device: Device


@device.command("list", short_help="Show the devices, and which are confirmed.")
@json_option
def list_(as_json: bool) -> int:
    """Show each approver's devices: their fingerprints, since when they are paired, and whether they are confirmed.

    \b
    Examples:
      workflow-admin device list
      workflow-admin device list --json
    """
    known = people.approvers()
    found = _paired(known)
    if as_json:
        told = [
            {
                "approver": each.approver,
                "name": each.device.name,
                "fingerprint": each.device.fingerprint,
                "origin": each.device.origin,
                "since": each.device.since,
                "confirmed": each.device.confirmed,
            }
            for each in found
        ]
        print_json({"v": VERSION, "ok": True, "devices": told, "notices": list(known.notices)})
        return 0
    if found:
        rows = [
            (
                each.approver,
                inline(each.device.name),
                each.device.fingerprint,
                each.device.origin,
                minute(each.device.since),
                "yes" if each.device.confirmed else "no",
            )
            for each in found
        ]
        console.show_table(("approver", "device", "fingerprint", "page", "paired (UTC)", "confirmed"), rows)
    else:
        console.say("There is no device; an approver pairs one on the page.")
    for notice in known.notices:
        console.say(notice, "yellow", error=True)
    return 0


@device.command(short_help="Confirm a device, after its fingerprint and your passphrase.")
@click.argument("fingerprint", shell_complete=complete_device)
@json_option
def confirm(fingerprint: str, as_json: bool) -> int:
    """Say that the device with this FINGERPRINT is yours: it shows the same digits. Your passphrase is asked for.

    The first digits are enough, at least four. From then on, answers that the device signs are `signed`.

    \b
    Examples:
      workflow-admin device confirm 3f2a-91bc
    """
    need_terminal()
    known = people.approvers()
    found = _named(known, fingerprint)
    if found.device.confirmed is None:
        about = f"{inline(found.device.name)}, paired {minute(found.device.since)} UTC with {found.device.origin}:"
        console.say(about, error=True)
        console.say(f"  {found.device.fingerprint}", "bold", error=True)
        asked = f"Does the device of {found.approver} show exactly these digits?"
        if not click.confirm(asked, default=False, err=True):
            raise UsageError(
                "nothing was confirmed", "Revoke one that is not yours: `workflow-admin device list` shows them."
            )
        _, typed = people.current(found.approver)
        trial = known.confirm(found.approver, typed, found.device.fingerprint, iso(SystemClock().now()))
        if not trial.proven:
            message, hint = people.why_not(trial)
            return give(Reply(error=Failure("refused", message, hint)), as_json)
    return _done(as_json, found, f"✓ {found.device.fingerprint} signs for {found.approver}.")


@device.command(short_help="Make a device worthless, at once.")
@click.argument("fingerprint", shell_complete=complete_device)
@json_option
def revoke(fingerprint: str, as_json: bool) -> int:
    """Make the device with this FINGERPRINT worthless, at once; that asks for no passphrase.

    An answer that it signed and that was not used yet lets nothing leave any more.

    \b
    Examples:
      workflow-admin device revoke 3f2a-91bc
    """
    need_terminal()
    known = people.approvers()
    found = _named(known, fingerprint)
    known.revoke(found.approver, found.device.fingerprint)
    return _done(as_json, found, f"✓ {found.device.fingerprint} signs for {found.approver} no more.")


def _paired(known: Approvers) -> list[_Paired]:
    return [_Paired(each.name, device) for each in known.known() for device in each.devices]


def _named(known: Approvers, fingerprint: str) -> _Paired:
    """The one device whose fingerprint begins so, however its groups are written."""
    digits = "".join(filter(str.isalnum, fingerprint.lower()))
    found = [each for each in _paired(known) if each.device.fingerprint.replace("-", "").startswith(digits)]
    if len(digits) < SHORTEST or len(found) != 1:
        why = "is that of no device" if not found else "does not name one device"
        raise UsageError(f"the fingerprint {fingerprint[:40]!r} {why}", "`workflow-admin device list` shows them.")
    return found[0]


def _done(as_json: bool, found: _Paired, told: str) -> int:
    if as_json:
        print_json({"v": VERSION, "ok": True, "approver": found.approver, "fingerprint": found.device.fingerprint})
    else:
        console.say(told, "green")
    return 0
