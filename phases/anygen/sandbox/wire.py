"""What goes over the wire: a request as it is recorded, and an answer as it is sent."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from io import BufferedIOBase
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

MAX_FILE = 52_428_800  # 50 MB, by the AnyGen API
MAX_BODY = MAX_FILE + 1_048_576  # a file and the multipart around it
_DRAIN = 1_073_741_824  # read this much of a body that is too large, so that its sender gets to see the answer
_PIECE = 65_536


class FilePart(NamedTuple):
    """An uploaded file: never its content, only what tells it apart; ``size`` in bytes."""

    field: str
    filename: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Request:
    """One recorded request; header names are in lower case, ``at`` is unix time in seconds."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any
    files: tuple[FilePart, ...]
    form: dict[str, str]
    at: float
    oversized: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object, or an empty one where the body is something else."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def key(self) -> str:
        """The caller's key: from the header, else the body's or the query's ``auth_token``."""
        named = (self.body.get("auth_token"), self.form.get("auth_token"), self.query.get("auth_token"))
        for value in (self.headers.get("authorization"), *named):
            if isinstance(value, str) and value.strip():
                return re.sub(r"^bearer\s+", "", value.strip(), flags=re.IGNORECASE)
        return ""


@dataclass(frozen=True)
class Answer:
    """What is sent back, and in which ``manner``: plain, drop, reset, slow-body or slow-headers."""

    content: bytes = b""
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "plain"
    seconds: float = 0.0


class Unreadable(ValueError):
    """The body of a request is not what its Content-Type says."""


def encode(value: Any) -> bytes:
    """JSON as the service sends it: UTF-8, not escaped; half a surrogate pair becomes a question mark."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def read_request(method: str, target: str, headers: Message, stream: BufferedIOBase, at: float) -> Request:
    """Read the whole request; raises `Unreadable` with what could be read of it in ``args[1]``."""
    path, _, query = target.partition("?")
    content = _read_body(stream, headers)
    kind = headers.get("Content-Type", "")
    value: Any = None
    form: dict[str, str] = {}
    files: tuple[FilePart, ...] = ()
    problem = ""
    if content and kind.lower().startswith("multipart/form-data"):
        form, files = _read_form(content, kind)
    elif content:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            problem = "the request body is not valid JSON"
    names = {name.lower(): str(text) for name, text in headers.items()}
    fields = dict(parse_qsl(query, keep_blank_values=True))
    request = Request(method, path, fields, names, value, files, form, at, oversized=content is None)
    if problem:
        raise Unreadable(problem, request)
    return request


def _read_body(stream: BufferedIOBase, headers: Message) -> bytes | None:
    """The body, or None where it is larger than `MAX_BODY`."""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        return _read_chunks(stream)
    length = int(headers.get("Content-Length") or 0)
    if length <= MAX_BODY:
        return _exactly(stream, length)
    left = min(length, _DRAIN)
    while left > 0 and (piece := stream.read(min(left, _PIECE))):
        left -= len(piece)
    return None


def _read_chunks(stream: BufferedIOBase) -> bytes | None:
    pieces: list[bytes] = []
    total = 0
    while size := int(stream.readline(_PIECE).split(b";")[0].strip() or b"0", 16):
        piece = _exactly(stream, size)
        total += size
        if total <= MAX_BODY:
            pieces.append(piece)
        stream.readline(_PIECE)
    while stream.readline(_PIECE).strip():
        pass  # trailers
    return b"".join(pieces) if total <= MAX_BODY else None


def _exactly(stream: BufferedIOBase, length: int) -> bytes:
    """So many bytes; raises ValueError for a length below 0, ConnectionError if the sender went away."""
    if length < 0:
        raise ValueError("a length below 0")
    content = stream.read(length)
    if len(content) < length:
        raise ConnectionResetError("the request ended before its body did")
    return content


def _read_form(content: bytes, content_type: str) -> tuple[dict[str, str], tuple[FilePart, ...]]:
    outer = Message()
    outer["Content-Type"] = content_type
    mark = b"\r\n--" + (outer.get_boundary() or "").encode()
    form: dict[str, str] = {}
    files: list[FilePart] = []
    for chunk in (b"\r\n" + content).split(mark)[1:-1]:
        head, _, value = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        part = message_from_string(head.decode("utf-8", "replace"))
        name = str(part.get_param("name", "", header="content-disposition"))
        filename = part.get_filename()
        if filename is None:
            form[name] = value.decode("utf-8", "replace")
        else:
            files.append(FilePart(name, filename, hashlib.sha256(value).hexdigest(), len(value)))
    return form, tuple(files)
