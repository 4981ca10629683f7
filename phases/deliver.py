"""Phase 4: looking how far the image is."""

from __future__ import annotations

from workflow import PASSES, ApiError, Call, Done, Facts, Verdict, action, because, guard

from .anygen.client import Client

ENDED = ("completed", "failed", "cancelled", "gone")


@action(effect="read", sets=["task_status", "task_url"])
def look(call: Call) -> Done:
    """One look; a task that the service does not have is ``gone``, and nobody waits for it any longer."""
    try:
        task = Client(call.service, call.base_url).task(call.data.get("task_id") or "")
    except ApiError as error:
        if error.kind != "gone":
            raise
        return Done({"task_status": "gone"})
    return Done({"task_status": task.status, "task_url": task.url}, progress=task.progress)


@guard(reads=["task_status"])
def task_completed(facts: Facts) -> Verdict:
    """The image is there."""
    return PASSES if facts.data.get("task_status") == "completed" else because("the image is not ready")


@guard(reads=["task_status"])
def task_failed(facts: Facts) -> Verdict:
    """The service gave up, or somebody called it off there."""
    return (
        PASSES if facts.data.get("task_status") in ("failed", "cancelled") else because("the generation has not failed")
    )


@guard(reads=["task_status"])
def task_gone(facts: Facts) -> Verdict:
    """The service does not have it, or has it no longer."""
    return PASSES if facts.data.get("task_status") == "gone" else because("the service has the image")


@guard(reads=["task_id", "task_status", "change_status"])
def task_running(facts: Facts) -> Verdict:
    """Something was begun that cannot be called off, an image or a change of it, and no end of it is known."""
    begun = bool(facts.data.get("task_id")) and facts.data.get("task_status") not in ENDED
    changing = facts.data.get("change_status") in ("sent", "processing")
    return PASSES if begun or changing else because("nothing is being generated")
