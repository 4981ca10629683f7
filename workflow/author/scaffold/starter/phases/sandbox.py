"""The offline sandbox of the service: the same answers on this machine, and faults on request."""

from __future__ import annotations

from workflow.twin import Answer, Request, Twin

NUMBER = "A2f7c9e1b04"


class Sandbox(Twin):
    """Every wish has an offer; the order is always the same one."""

    PAID = ("POST /orders",)

    @property
    def found(self) -> list[str]:
        """The page of the order, once there is one."""
        ordered = any(request.method == "POST" for request in self.requests)
        return [f"{self.url}/orders/{NUMBER}"] if ordered else []

    def answer(self, request: Request) -> Answer:
        """What the service says."""
        if request.method == "GET" and request.path == "/offers":
            return 200, {"text": f"One “{request.query.get('for', '')}” for 3 coins."}
        if request.method == "POST" and request.path == "/orders":
            return 201, {"number": NUMBER}
        return 404, {"error": "there is nothing"}
