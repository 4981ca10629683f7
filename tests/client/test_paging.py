"""Pages of messages that do not come in time: what was seen counts as far as it can."""

from __future__ import annotations

from typing import Any

import pytest

from phases.anygen.client import Client
from workflow.model.digest import canonical
from workflow.model.errors import ActionError, NoAnswer, Unreachable
from workflow.model.ports import Response


class TwoPages:
    """The first page comes, and leads to a second one, which ends in ``fault``."""

    def __init__(self, status: str, fault: ActionError) -> None:
        self.status, self.fault, self.asked = status, fault, 0

    def call(self, method: str, path: str, **_: Any) -> Response:
        """One page."""
        self.asked += 1
        if self.asked > 1:
            raise self.fault
        message = {"id": 9, "role": "assistant", "content": "Done.", "status": self.status}
        body = {"messages": [message], "has_more": True, "cursor": "c"}
        return Response(200, {}, canonical(body), None)


LATE = [NoAnswer("late", transient=True), Unreachable("no time left", transient=True)]


@pytest.mark.parametrize("fault", LATE, ids=["no answer", "no time"])
def test_a_completed_answer_counts_without_the_older_pages(fault: ActionError) -> None:
    """The change is made; what stands on older pages makes it no less so."""
    answer = Client(TwoPages("completed", fault), "http://127.0.0.1").answer("task_1", 3)
    assert answer is not None and answer.id == 9


@pytest.mark.parametrize("status", ["failed", "running"])
@pytest.mark.parametrize("fault", LATE, ids=["no answer", "no time"])
def test_nothing_else_is_concluded_from_a_part(status: str, fault: ActionError) -> None:
    """A failed one counts only where no completed one can be older: the look ends, and the next one sees."""
    with pytest.raises(ActionError, match=fault.message):
        Client(TwoPages(status, fault), "http://127.0.0.1").answer("task_1", 3)


def test_a_lasting_fault_is_never_passed_over() -> None:
    """A key that is refused on the second page is told, whatever the first one held."""
    with pytest.raises(ActionError, match="refused"):
        Client(TwoPages("completed", ActionError("refused", "credentials")), "http://127.0.0.1").answer("task_1", 3)
