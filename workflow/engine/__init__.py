"""The engine: one turn in, one reply out."""

from workflow.engine.turns import Engine
from workflow.engine.view import View
from workflow.engine.watching import Look
from workflow.engine.world import World

__all__ = ["Engine", "Look", "View", "World"]
