"""Phasegate: a workflow state machine for agents, one step per turn.

``open_engine`` is the way in for programs; the rest are the words that a bundle's own Python is written in.
"""
# ruff: noqa: E402

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:  # Python still looks for the module that it was asked to run
    _word = "".join(sys.orig_argv[-len(sys.argv) :][:1])  # `workflow`, or joined to its options as in `-Bmworkflow`
    if _word == "workflow" or (_word.startswith("-") and _word.endswith("mworkflow")):
        del sys.path[0]  # the working directory: no module that we import may be taken from there

from workflow.compose import open_engine
from workflow.engine import Engine, Look
from workflow.local.paths import typed_path
from workflow.local.private import read_private
from workflow.machine.certainty import Form, Judgement, Known, judge_answer
from workflow.machine.definition import Effect
from workflow.machine.messages import joined, visible
from workflow.machine.registry import PASSES, Call, Done, Facts, Verdict, action, because, guard
from workflow.model.errors import (
    ActionError,
    ApiError,
    BadResponse,
    CredentialsError,
    FileChanged,
    InDoubt,
    NoAnswer,
    Unreachable,
    UsageError,
    WorkflowError,
)
from workflow.model.ports import Clock, Response, Service, Upload
from workflow.model.reply import Reply
from workflow.model.session import Turn
from workflow.model.strict_json import JsonError, read_json, write_json
from workflow.model.version import VERSION
from workflow.service.answers import error_of, result_of
from workflow.service.key import Key, read_key

__version__ = VERSION

__all__ = [
    "PASSES",
    "ActionError",
    "ApiError",
    "BadResponse",
    "Call",
    "Clock",
    "CredentialsError",
    "Done",
    "Effect",
    "Engine",
    "Facts",
    "FileChanged",
    "Form",
    "InDoubt",
    "JsonError",
    "Judgement",
    "Key",
    "Known",
    "Look",
    "NoAnswer",
    "Reply",
    "Response",
    "Service",
    "Turn",
    "Unreachable",
    "Upload",
    "UsageError",
    "Verdict",
    "WorkflowError",
    "action",
    "because",
    "error_of",
    "guard",
    "joined",
    "judge_answer",
    "open_engine",
    "read_json",
    "read_key",
    "read_private",
    "result_of",
    "typed_path",
    "visible",
    "write_json",
]
