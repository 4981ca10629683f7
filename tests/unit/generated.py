"""Machines of any size, to measure how reading and proving grow."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.registry import PASSES, Action, Call, Done, Facts, Guard, Registry, Verdict

STATES_OF_A_ROUND = 10


def machine_of(states: int) -> str:
    """A YAML text with about this many states: rounds of questions, choices, calls, approvals, payments and waits."""
    rounds = max(1, states // STATES_OF_A_ROUND)
    lines = [_HEAD, f"start: r0.choosing\non: {{stop: r{rounds - 1}.stopped}}\nphases:"]
    for number in range(rounds):
        onward = f"r{number + 1}.choosing" if number + 1 < rounds else f"r{number}.over"
        lines.append(_ROUND.replace("{r}", f"r{number}").replace("{next}", onward))
    lines.append("    over: {say: m, end: done}\n    stopped: {say: m, end: cancelled}\n")
    return "\n".join(lines)


def code() -> Registry:
    """Its actions and guards, none of which is ever called."""
    effects = {"fetch": "repeatable", "pay": "once", "look": "read"}
    sets = {"fetch": ("plan",), "pay": ("task",), "look": ("result",)}
    reads = {"ready": ("plan",), "pending": ("words",), "arrived": ("result",)}
    return Registry(
        {name: Action(name, effect, frozenset(sets[name]), _done) for name, effect in effects.items()},  # type: ignore[arg-type]
        {name: Guard(name, frozenset(data), _passes) for name, data in reads.items()},
    )


def prompts() -> Mapping[str, Mapping[str, str]]:
    """Its two messages, and the plain variant of one."""
    return {"en": {"m": "All right.", "offer": "${plan}", "offer.plain": "There is a plan."}}


def _done(call: Call) -> Done:
    raise AssertionError(call)


def _passes(facts: Facts) -> Verdict:
    raise AssertionError((facts, PASSES))


_HEAD = """\
format: 1
workflow: large
languages: [en]
service: {base_url: https://api.example, sandbox: phases.twin}
data: {words: text, plan: verbatim, task: internal, result: hidden}
gates: {approved: {subject: [plan]}, told: {}}
never_without: {pay: [approved]}
only_after: {pay: [fetch]}
events:
  start: {input: [words]}
  answer: {input: [words]}
  approve: {gate: approved}
  happened: {gate: told}
  did_not: {gate: told}
  check: {}
  stop: {}
trouble: {else: m}"""

_ROUND = """\
  {r}:
    choosing: {then: {pending: {r}.asking, else: {r}.fetching}}
    asking: {say: m, on: {answer: {r}.choosing}}
    fetching: {do: fetch, then: {ready: {r}.offering, else: {r}.asking}, failed: {r}.asking}
    offering: {say: offer, on: {approve: {r}.paying, answer: {r}.choosing}}
    paying: {do: pay, then: {r}.waiting, failed: {r}.offering, doubt: {r}.unsure}
    unsure: {say: m, on: {happened: {r}.waiting, did_not: {r}.offering}}
    waiting:
      say: m
      watch: {do: look, every: 3s, within: 20m, then: {arrived: {r}.sorting}, no_news: m, late: {r}.late, brief: b}
    late: {say: m, on: {check: {r}.looking}}
    looking: {do: look, then: {arrived: {r}.sorting, else: {r}.late}, failed: {r}.late}
    sorting: {then: {ready: {next}, else: {r}.late}}"""
