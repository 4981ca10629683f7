"""The courier's offline twin: prices by the length of the address, and keeps count of what it is asked."""

from __future__ import annotations

from workflow.twin import Answer, Request, Twin


class Sandbox(Twin):
    """A parcel arrives when it was looked for more than ``looks`` times."""

    PAID = ("POST /bookings",)
    looked = 0

    @property
    def keys(self) -> set[str]:
        """Every key that was sent."""
        return {request.key for request in self.requests}

    @property
    def found(self) -> list[str]:
        """Where the one parcel can be followed."""
        return [f"{self.url}/track/bk_7f3a9c2e11"] if ("POST", "/bookings") in self.calls else []

    @property
    def calls(self) -> list[tuple[str, str]]:
        """What was asked, by method and path."""
        return [(request.method, request.path) for request in self.requests]

    def answer(self, request: Request) -> Answer:
        """What the courier says."""
        if request.path == "/price":
            where = request.query["to"]
            if "nowhere" in where:
                return 422, {"error": "no such address"}
            return 200, {"text": f"To your door for {len(where)} coins.", "cents": len(where) * 100}
        if request.path == "/bookings":
            return 200, {"id": "bk_7f3a9c2e11"}
        self.looked += 1
        there = self.looked > self.looks
        percent = min(100, self.looked * 100 // (self.looks + 1))
        return 200, {"where": "door" if there else "road", "percent": percent}
