"""What goes to the service and what comes back, whoever carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.errors import BadResponse
from workflow.jsontext import JsonError, read_json
from workflow.noun import Noun


class Upload(Noun, hide=("content",)):
    """One file part and the text parts sent before it, as multipart/form-data."""

    field: str
    name: str
    content: bytes
    fields: Mapping[str, str] = {}


class Response(Noun, hide=("body",)):
    """What came back, 4xx and 5xx included; header names are in lower case, ``body`` is decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str | None

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, read strictly; raises ``BadResponse`` for anything else."""
        try:
            value = read_json(self.body, what="The answer")
        except JsonError as error:
            fault = str(error)
        else:
            if isinstance(value, dict):
                return value
            fault = "The answer is not a JSON object"
        raise BadResponse(f"{fault} (HTTP {self.status}).", request_id=self.request_id)
