"""How the network is reached: the settings that count, and the variables of other programs that do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workflow.local.settings import Settings
from workflow.model.frozen import Noun
from workflow.model.surface import Machine

PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
CERTIFICATE = "certificate"
"""The obstacle that certificate authorities remove; a proxy may remove any other."""


class Ignored(Noun):
    """Variables that are set and not used, and the setting that counts instead."""

    variables: tuple[str, ...]
    setting: str
    file: Path | None

    @property
    def what(self) -> str:
        """What happens; values are not told, for a proxy's address may hold a password."""
        return f"{' and '.join(self.variables)} {'is' if len(self.variables) == 1 else 'are'} set and not used"

    @property
    def remedy(self) -> str:
        """The next step."""
        return f"Set {_setting(self.setting, self.file)}."


def ignored(environ: Mapping[str, str], settings: Settings) -> list[Ignored]:
    """What the environment says of proxies and of certificate authorities, where the settings say nothing of them."""
    kinds = (("proxy", PROXIES, settings.proxy), ("ca_file", AUTHORITIES, settings.ca_file))
    found = [(name, tuple(each for each in known if environ.get(each))) for name, known, set_ in kinds if not set_]
    return [Ignored(variables, name, settings.file) for name, variables in found if variables]


def advice(environ: Mapping[str, str], settings: Settings, obstacle: str) -> Machine:
    """The next step where the service cannot be reached: what is set and not used, otherwise what may be missing."""
    name = "ca_file" if obstacle == CERTIFICATE else "proxy"
    set_, source = getattr(settings, name), settings.sources.get(name, "")
    if set_:
        return Machine(f"`{name}` comes from {source}: check whether it is right.")
    for each in ignored(environ, settings):
        if each.setting == name:
            return Machine(f"{each.what}. {each.remedy}")
    setting = _setting(name, settings.file)
    if name == "ca_file":
        return Machine(f"If your network has certificate authorities of its own, set {setting}.")
    return Machine(f"Check the network of this machine. If it needs a proxy, set {setting}.")


def _setting(name: str, file: Path | None) -> str:
    """The setting, and where it stands; a user without a home has no file of settings."""
    variable = f"PHASEGATE_{name.upper()}"
    return f"`{name}` in {file}, or {variable}" if file else variable
