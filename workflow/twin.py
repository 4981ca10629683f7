"""The sandbox that a bundle builds on: ``from workflow.twin import Twin``; no turn loads it.

A bundle whose answers need more than :class:`Twin` offers derives from :class:`Loopback`.
"""

from workflow.service.sandbox.loopback import Call, Loopback, Sent
from workflow.service.sandbox.twin import Answer, Request, Twin

__all__ = ["Answer", "Call", "Loopback", "Request", "Sent", "Twin"]
