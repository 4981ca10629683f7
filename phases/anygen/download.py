"""Downloading an image when a person asks for it: by its base name, as a new file of one folder (R14)."""

from __future__ import annotations

import http.client
import os
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from workflow import BadResponse, NoAnswer, UsageError, visible

_LARGEST = 64 * 1024 * 1024  # bytes
_LONGEST = 120.0  # seconds, for everything together


def save(link: str, name: object, folder: Path) -> Path:
    """The new file; nothing is overwritten, and whatever ``name`` says, it is in ``folder``.

    The caller has made sure that the link leads to the service. No key is sent: the link is enough.
    """
    base = visible(str(name).replace("\\", "/").rpartition("/")[2]).lstrip(".")[:60]
    path = folder / (base or "image")
    if path.exists():
        raise UsageError(f"{path} exists already.", "Name another folder, or move it away.")
    content = _fetch(link)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        except OSError:
            with suppress(OSError):
                os.unlink(path)
            raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def _fetch(link: str) -> bytes:
    """The file, without a key, and only from where the link leads: a redirect is an error (R8)."""
    parts, ends = urlsplit(link), time.monotonic() + _LONGEST
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    line = kind(parts.hostname or "", parts.port, timeout=30)
    content = b""
    try:
        line.request("GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
        answer = line.getresponse()
        if answer.status != 200:
            raise BadResponse(f"The image was not given (HTTP {answer.status}).")
        while chunk := answer.read1(1 << 16):
            content += chunk
            if len(content) > _LARGEST or time.monotonic() > ends:
                raise BadResponse("The image is larger than 64 MiB or took longer than 2 minutes.")
        if answer.length:
            raise NoAnswer("The connection broke before the image was complete.")
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"The image could not be downloaded ({type(error).__name__}).") from None
    finally:
        line.close()
    return content
