"""A person's own answer: what ``workflow-admin approve`` sends, without the terminal that it needs."""

from __future__ import annotations

import sys

import click

from workflow.cli.agent.turns import make_turn
from workflow.cli.confirm import give_and_confirm
from workflow.compose import open_engine
from workflow.model.session import Turn

WAIT = 10.0
"""Seconds that a person waits for a turn that holds the session."""


@click.command()
@click.argument("session")
@click.argument("event")
@click.option("--input", "source")
def answer(session: str, event: str, source: str) -> int:
    """Answer a gate of SESSION by EVENT, with the strength of an answer that was asked for by this program."""
    given = make_turn(event, sys.stdin.buffer.read())
    turn = Turn(
        event,
        given.input,
        quote=given.quote,
        expect_revision=given.expect_revision,
        seen=given.seen,
        strength="asked",
        channel="terminal",
    )
    engine = open_engine()
    return give_and_confirm(engine, engine.advance(session, turn, wait=WAIT), as_json=True)
