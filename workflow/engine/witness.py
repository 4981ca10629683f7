"""A paid call is watched on its way: what left, and what came back, is not for its own code to say."""

from __future__ import annotations

from typing import Any

from workflow.machine.certainty import judge_answer
from workflow.model.errors import ActionError, ApiError, BadResponse
from workflow.model.ports import Response, Service

READING = ("GET", "HEAD")


class Witness:
    """A service that remembers the requests that changed something, or may have, and their answers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._left: list[Response | None] = []

    def call(self, method: str, path: str, **options: Any) -> Response:
        """The same call; no answer is remembered as None, a call that cannot have left not at all."""
        try:
            response = self._service.call(method, path, **options)
        except ActionError as error:
            if method not in READING and not error.definite:
                self._left.append(None)
            raise
        except BaseException:
            self._left.append(None)
            raise
        if method not in READING:
            self._left.append(response)
        return response

    def saw_no(self, error: ActionError) -> bool:
        """Whether an error can be a certain no: nothing left; or the one answer that came can say so."""
        if not self._left:
            return True
        return isinstance(error, ApiError) and len(self._left) == 1 and _may_refuse(self._left[0])


def _may_refuse(response: Response | None) -> bool:
    """Whether the judgement could be a certain no, if the code that read the answer knew its code or phrase."""
    if response is None:
        return False
    try:
        response.json()
    except BadResponse:
        return False
    return judge_answer("once", response.status, "refusal", "no") == "no"
