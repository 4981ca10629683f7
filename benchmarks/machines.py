"""Bundles of any size, to measure how reading, proving and deciding grow with the number of states."""

from __future__ import annotations

from pathlib import Path

PHASES = ("gather", "draft", "order", "make")
"""And ``close``, where all of them end."""

STATES_OF_A_ROUND = 10


def machine_of(states: int) -> str:
    """A ``workflow.yaml`` with so many states, at least 12: rounds of all that a state can be, then simple steps."""
    rounds, steps = divmod(states - 2, STATES_OF_A_ROUND)
    parts = [("choosing", _ROUND)] * rounds + [("stepping", _STEP)] * steps
    places = [PHASES[number * len(PHASES) // len(parts)] for number in range(len(parts))]
    firsts = [f"{places[number]}.{first}{number}" for number, (first, _) in enumerate(parts)] + ["close.over"]
    phases: dict[str, str] = {}
    for number, (_, text) in enumerate(parts):
        here = places[number]
        text = text.replace("{here}", here).replace("{n}", str(number)).replace("{next}", firsts[number + 1])
        phases[here] = phases.get(here, "") + text
    phases["close"] = _CLOSE
    return f"{_HEAD}start: {firsts[0]}\nphases:\n" + "".join(f"  {name}:\n{text}" for name, text in phases.items())


def write_bundle(folder: Path, states: int) -> Path:
    """The bundle around such a machine, with its code and its prompts."""
    texts = {"workflow.yaml": machine_of(states), "phases/__init__.py": '"""Rounds."""\n', "phases/steps.py": _CODE}
    for name, text in {**texts, **_PROMPTS}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


_HEAD = """\
format: 1
workflow: large
languages: [en]
service: {base_url: https://api.example, sandbox: phases.steps}
data: {words: text, plan: verbatim, task: internal, result: hidden}
gates: {approved: {subject: [plan]}, told: {}}
never_without: {pay: [approved]}
only_after: {pay: [fetch]}
events:
  start: {input: [words]}
  answer: {input: [words], if: sensible}
  approve: {gate: approved}
  happened: {gate: told}
  did_not: {gate: told}
  check: {}
  stop: {}
trouble: {else: step}
on: {stop: close.stopped}
"""
_ROUND = """\
    choosing{n}: {then: {pending: {here}.asking{n}, else: {here}.fetching{n}}}
    asking{n}: {say: step, on: {answer: {here}.choosing{n}}}
    fetching{n}:
      {do: fetch, then: {ready: {here}.offering{n}, else: {here}.asking{n}}, failed: {here}.asking{n}}
    offering{n}: {say: offer, on: {approve: {here}.paying{n}, answer: {here}.choosing{n}}}
    paying{n}: {do: pay, then: {here}.waiting{n}, failed: {here}.offering{n}, doubt: {here}.unsure{n}}
    unsure{n}: {say: step, on: {happened: {here}.waiting{n}, did_not: {here}.offering{n}}}
    waiting{n}:
      say: step
      watch:
        {do: look, every: 3s, within: 20m, then: {arrived: {here}.sorting{n}}, no_news: step, late: {here}.late{n}, brief: watch}
    late{n}: {say: step, on: {check: {here}.looking{n}}}
    looking{n}: {do: look, then: {arrived: {here}.sorting{n}, else: {here}.late{n}}, failed: {here}.late{n}}
    sorting{n}: {then: {ready: {next}, else: {here}.late{n}}}
"""  # noqa: E501
_STEP = "    stepping{n}: {say: step, on: {answer: {next}}}\n"
_CLOSE = """\
    over: {say: step, end: done}
    stopped: {say: step, end: cancelled}
"""
_PROMPTS = {
    "prompts/en/step.md": "All right. What comes next?\n",
    "prompts/en/offer.md": "${plan}\n\nShall I order it?\n",
    "prompts/en/offer.plain.md": "There is a plan. Shall I order it?\n",
    "prompts/briefs/watch.md": "Look until something happens.\n",
}
_CODE = '''\
"""What the rounds do, and ask."""

from __future__ import annotations

from workflow import PASSES, Call, Done, Facts, Verdict, action, because, guard


@action(effect="repeatable", sets=["plan"])
def fetch(call: Call) -> Done:
    """A plan."""
    return Done({"plan": "This is the plan."})


@action(effect="once", sets=["task"])
def pay(call: Call) -> Done:
    """It costs nothing."""
    return Done({"task": "task-1"})


@action(effect="read", sets=["result"])
def look(call: Call) -> Done:
    """It is there at once."""
    return Done({"result": "done"})


@guard(reads=["words"])
def sensible(facts: Facts) -> Verdict:
    """Some words."""
    return PASSES if str(facts.input.get("words", "")).strip() else because("say something")


@guard(reads=["words"])
def pending(facts: Facts) -> Verdict:
    """Nothing was said yet."""
    return because("something was said") if facts.data.get("words") else PASSES


@guard(reads=["plan"])
def ready(facts: Facts) -> Verdict:
    """There is a plan."""
    return PASSES if facts.data.get("plan") else because("there is no plan")


@guard(reads=["result"])
def arrived(facts: Facts) -> Verdict:
    """There is a result."""
    return PASSES if facts.data.get("result") else because("there is no result")
'''
