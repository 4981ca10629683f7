"""A sandbox of its own for each test, and a client that brings the key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from phases.anygen.sandbox import SANDBOX_KEY, Sandbox

ROOT = "/v1/openapi"


class Client:
    """The calls of the service, as a well-behaved client makes them."""

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        self.sandbox, self.session = sandbox, session

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any call, without following redirects."""
        options = {"timeout": 10, "allow_redirects": False, **options}
        return self.session.request(method, self.sandbox.url + path, **options)

    def post(self, path: str, body: Any, **options: Any) -> dict[str, Any]:
        """The JSON that comes back from a POST."""
        answer: dict[str, Any] = self.call("POST", ROOT + path, json=body, **options).json()
        return answer

    def get(self, path: str, **options: Any) -> dict[str, Any]:
        """The JSON that comes back from a GET."""
        answer: dict[str, Any] = self.call("GET", ROOT + path, **options).json()
        return answer

    def upload(self, content: bytes = b"pixels", name: str = "ref.png") -> dict[str, Any]:
        """Upload a file."""
        files, data = {"file": (name, content)}, {"filename": name}
        answer: dict[str, Any] = self.call("POST", f"{ROOT}/files/upload", files=files, data=data).json()
        return answer

    def prepare(self, *texts: str, **more: Any) -> dict[str, Any]:
        """Say all texts at once."""
        messages = [{"role": "user", "content": text} for text in texts]
        return self.post("/tasks/prepare", {"messages": messages, **more})

    def create(self, prompt: str = "# Poster: Jazz night") -> str:
        """Create a task, and return its id."""
        answer = self.post("/tasks", {"operation": "ai_designer", "prompt": prompt})
        return str(answer["task_id"])

    def finished(self, prompt: str = "# Poster: Jazz night") -> str:
        """A task that is completed."""
        task = self.create(prompt)
        while self.get(f"/tasks/{task}")["status"] == "processing":
            pass
        return task


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A running sandbox with the usual settings."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A client of that sandbox, with its key in the header."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {SANDBOX_KEY}"
        yield Client(sandbox, session)
