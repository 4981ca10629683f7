"""The discovery document: the newest client reads it first and builds its calls from it."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]

OPERATIONS = (
    "slide",
    "doc",
    "smart_draw",
    "storybook",
    "data_analysis",
    "website",
    "finance",
    "deep_research",
    "ai_designer",
)


class _Method(NamedTuple):
    """A row of the table of methods; ``request`` and ``response`` name schemas."""

    id: str
    description: str
    verb: str
    path: str
    response: str
    request: str = ""
    parameters: Json = {}
    polling: bool = False


def document(base_url: str) -> Json:
    """The whole document, with ``base_url`` as its baseUrl."""
    message = _resource("Modify a finished task in words", "task.message.")
    task = _resource("Prepare, create and follow tasks", "task.", message=message)
    return {
        "name": "anygen",
        "version": "v1",
        "title": "AnyGen OpenAPI (sandbox)",
        "description": "An offline twin of the AnyGen OpenAPI",
        "baseUrl": base_url,
        "schemas": _SCHEMAS,
        "parameters": {"Authorization": _parameter("string", "header", "Bearer <key>", required=True)},
        "resources": {"task": task, "file": _resource("Files", "file.")},
    }


def operations() -> list[Json]:
    """What the operations call lists."""
    minutes = {"smart_draw": "1 minute", "ai_designer": "5-10 minutes", "deep_research": "10-20 minutes"}
    return [
        {
            "operation": name,
            "name": name,
            "estimated_time": minutes.get(name, "10-15 minutes"),
            "export_formats": [],
            "supports_thumbnail": True,
        }
        for name in OPERATIONS
    ]


def _resource(description: str, prefix: str, **resources: Json) -> Json:
    own = [method for method in _METHODS if method.id.rpartition(".")[0] + "." == prefix]
    methods = {method.id.removeprefix(prefix): _method(method) for method in own}
    return {"description": description, "methods": methods, "resources": resources}


def _method(method: _Method) -> Json:
    """Schemas are written out beside their ``$ref``, for clients that do not resolve it."""
    described: Json = {
        "id": method.id,
        "description": method.description,
        "httpMethod": method.verb,
        "path": f"/v1/openapi{method.path}",
        "parameters": method.parameters,
        "response": {"$ref": method.response, **_SCHEMAS[method.response]},
        "supportsPolling": method.polling,
    }
    if method.request:
        described["request"] = {"$ref": method.request, **_SCHEMAS[method.request]}
    return described


def _parameter(kind: str, location: str, description: str, *, required: bool = False) -> Json:
    return {"type": kind, "location": location, "required": required, "description": description}


def _object(description: str, required: tuple[str, ...] = (), **properties: Json) -> Json:
    """Required fields are marked in both ways that clients look for: a list, and a flag on the property."""
    marked = {name: {**schema, "required": True} if name in required else schema for name, schema in properties.items()}
    return {"type": "object", "description": description, "properties": marked, "required": list(required)}


def _text(description: str) -> Json:
    return {"type": "string", "description": description}


def _number(description: str) -> Json:
    return {"type": "integer", "description": description}


def _flag(description: str) -> Json:
    return {"type": "boolean", "description": description}


def _list(items: Json, description: str) -> Json:
    return {"type": "array", "items": items, "description": description}


_TASK = {"task_id": _parameter("string", "path", "Task id", required=True)}
_PAGING = {
    "limit": _parameter("integer", "query", "Messages at most: 10 unless told, 100 at most"),
    "cursor": _parameter("string", "query", "Where the page before ended; absent for the latest"),
}
# Not marked as required: clients look for required parameters in the address, where a file never is.
_FILE = {
    "file": _parameter("binary", "body", "The file"),
    "filename": _parameter("string", "body", "Its name"),
}
_METHODS = (
    _Method("task.operations", "List the operations", "GET", "/tasks/operations", "OperationsResponse"),
    _Method("task.prepare", "Clarify a request", "POST", "/tasks/prepare", "PrepareResponse", "PrepareRequest"),
    _Method("task.create", "Create a task", "POST", "/tasks", "CreateResponse", "CreateRequest"),
    _Method("task.get", "Get a task", "GET", "/tasks/:task_id", "TaskResponse", "", _TASK, polling=True),
    _Method(
        "task.message.send",
        "Send a modification to a completed task",
        "POST",
        "/tasks/:task_id/messages",
        "MessageSendResponse",
        "MessageSendRequest",
        _TASK,
    ),
    _Method(
        "task.message.list",
        "List the messages of a task, newest first",
        "GET",
        "/tasks/:task_id/messages",
        "MessageListResponse",
        "",
        _TASK | _PAGING,
        polling=True,
    ),
    _Method("file.upload", "Upload a file of 50 MB at most", "POST", "/files/upload", "UploadResponse", "", _FILE),
)
_SUCCESS = _flag("Whether the call did what it was asked")
_ERROR = _text("What went wrong")
_TOKENS = _list({"type": "string"}, "Tokens of uploaded files")
_EXTRA: Json = {"type": "object", "description": "For tracking; not looked at"}
_MESSAGE = _object(
    "A message",
    role=_text("user or assistant"),
    content={"type": "string", "description": "Text, or a list of parts"},
)
_OUTPUT_FILE = _object(
    "A file", url=_text("Where it is"), name=_text("Its name"), expires_at=_number("Unix time in seconds")
)
_SCHEMAS: Json = {
    "PrepareRequest": _object(
        "The conversation so far",
        ("messages",),
        messages=_list(_MESSAGE, "The whole conversation"),
        operation={"type": "string", "description": "Operation", "enum": list(OPERATIONS)},
        file_tokens=_TOKENS,
        prepare_session_id=_text("As received"),
        base_suggested_task_params={"type": "object", "description": "As received last"},
        extra=_EXTRA,
    ),
    "PrepareResponse": _object(
        "Questions, or the plan",
        success=_SUCCESS,
        reply=_text("To be shown to the user"),
        status={"type": "string", "description": "State", "enum": ["collecting", "ready"]},
        messages=_list(_MESSAGE, "The whole conversation, updated"),
        prepare_session_id=_text("To be sent with the next call"),
        suggested_task_params=_object("When ready", prompt=_text("The plan"), file_tokens=_TOKENS),
        error=_ERROR,
    ),
    "CreateRequest": _object(
        "A task to create; it costs credits",
        ("operation", "prompt"),
        operation={"type": "string", "description": "Operation", "enum": list(OPERATIONS)},
        prompt=_text("What to make"),
        file_tokens=_TOKENS,
        export_format=_text("For operations that export"),
        extra=_EXTRA,
    ),
    "CreateResponse": _object(
        "The new task",
        success=_SUCCESS,
        task_id=_text("Task id"),
        task_url=_text("Its page"),
        content_version=_number("Version of its content"),
        error=_ERROR,
    ),
    "TaskResponse": _object(
        "A task",
        success=_SUCCESS,
        task_id=_text("Task id"),
        operation=_text("Operation"),
        status={"type": "string", "description": "State", "enum": ["processing", "completed", "failed"]},
        progress=_number("0 to 100"),
        message=_text("For people"),
        error=_text("When failed"),
        output=_object(
            "What came of it",
            task_url=_text("Its page"),
            file_url=_text("First file"),
            file_name=_text("Name of the first file"),
            thumbnail_url=_text("Small picture"),
            expires_at=_number("Unix time in seconds"),
            files=_list(_OUTPUT_FILE, "All files"),
        ),
    ),
    "MessageSendRequest": _object(
        "A modification in words",
        ("content",),
        content=_text("What to change"),
        files=_list(_object("A file", file_token=_text("Token")), "Uploaded files"),
        extra=_EXTRA,
    ),
    "MessageSendResponse": _object(
        "The message as stored",
        success=_SUCCESS,
        message=_object("Message", id=_number("Message id")),
        status=_text("State"),
        error=_ERROR,
    ),
    "MessageListResponse": _object(
        "Messages, newest first",
        success=_SUCCESS,
        messages=_list(_MESSAGE, "Messages"),
        has_more=_flag("Whether there are older ones"),
        cursor=_text("For the next page"),
        task_snapshot=_object(
            "The task now",
            status=_text("State"),
            content_version=_number("Version"),
            can_export=_flag("Whether it is at rest"),
        ),
    ),
    "UploadResponse": _object(
        "The file as stored",
        success=_SUCCESS,
        file_token=_text("Token"),
        filename=_text("Name"),
        file_size=_number("Bytes"),
        error=_ERROR,
    ),
    "OperationsResponse": _object(
        "What can be made", success=_SUCCESS, operations=_list({"type": "object"}, "Operations")
    ),
}
