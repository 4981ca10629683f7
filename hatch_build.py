"""Puts the reference bundle into a wheel as ``workflow/_bundle``; an editable install reads it in place."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = ("workflow.yaml", "phases", "prompts", "scenarios")


class BundleHook(BuildHookInterface[Any]):
    """Configuration alone would copy the bundle into editable installs too, where it would grow stale."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"].update({name: f"workflow/_bundle/{name}" for name in BUNDLE})
