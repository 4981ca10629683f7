"""A new bundle: the starter that comes along, or a copy of the packaged bundle, under a name of its own.

The starter is a bundle called ``starter``, complete in several languages. A new one has one of them, and the new name
wherever the starter has its own: the workflow, the title, the phase and its module, the host and the key.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from workflow.author import published
from workflow.bundle import loader, packaged
from workflow.bundle.editor_schema import for_editors
from workflow.machine.messages import visible
from workflow.model.errors import UsageError

STARTER = "starter"
LONGEST = 40
LONGEST_TITLE = 200
LANGUAGES = ("en", "de")
"""What the starter's messages are written in; the first is for authors of every other language."""
_TAKEN = ("over", "sandbox", "null", "true", "false")
"""Names that its phase and module cannot have: those of another phase and module, and constants of YAML."""
NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
"""What a bundle may be called: it is a folder and a word in commands."""

_PLACES = re.compile(
    r"""(?mx) (?<=title:[ ])(?P<title>Starter)$ | (?<=^languages:[ ])(?P<languages>\[.*\])$
    | (?<=^workflow:[ ])(?P<workflow>starter)$ | \b(?P<key>STARTER)(?=_)
    | \b(?P<plain>starter)(?=\.(?!example\b|schema\b)[a-z]) | (?<=^[ ]{2})(?P<plain_>starter)(?=:$)
    | \b(?P<name>starter)\b | \b(?P<said>Starter)\b"""
)
"""Where the starter names itself: its title, its languages, its key, its phase and module, itself."""
_PARTS = ("workflow.yaml", "phases", "prompts", "scenarios", "README.md")
_BUNDLE, _SCENARIO = "bundle.schema.json", "scenario.schema.json"
_MODELINE = re.compile(rb"^# yaml-language-server: \$schema=.*$", re.MULTILINE)
"""Where an editor finds the schema of a file: in a checkout that of the package, in a new bundle its own copy."""


def origins() -> tuple[str, ...]:
    """What a new bundle can be made from: the starter, and the packaged bundle by its own name."""
    return STARTER, _called(packaged() / "workflow.yaml")


def check_name(name: str) -> str:
    """The name; raises :class:`UsageError` for what is none."""
    if len(name) > LONGEST or not NAME.fullmatch(name):
        raise UsageError(
            f"{visible(name)[:60]!r} cannot be the name of a bundle",
            f"Lower-case letters, digits and single hyphens, a letter first, {LONGEST} at most: my-bundle.",
        )
    return name


def titled(name: str) -> str:
    """The title that a name makes: ``office-chairs`` is "Office chairs"."""
    return name.replace("-", " ").capitalize()


def spoken(*wishes: str | None) -> str:
    """The language of the starter for an author who speaks these, the first first; tags and locales both do."""
    for wish in wishes:
        for known in LANGUAGES:
            if re.split(r"[-_.@]", wish or "")[0].lower() == known:
                return known
    return LANGUAGES[0]


def new_bundle(
    name: str, folder: Path, origin: str = STARTER, title: str = "", language: str = LANGUAGES[0]
) -> list[str]:
    """Write a bundle called ``name`` into ``folder``, which must be new or empty; the files that were written.

    The starter is written in ``language``; a copy of the packaged bundle keeps its own languages. Raises
    :class:`UsageError`, and then leaves no file behind.
    """
    check_name(name)
    _check_title(title)
    if language not in LANGUAGES:
        raise UsageError(
            f"the starter has no messages in {visible(language)[:40]!r}",
            f"Begin with one of {', '.join(LANGUAGES)}; then put the others into `languages` and `prompts/`.",
        )
    source, target = _source(origin), _empty(folder)
    made = not target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        for part in _files(source):
            content = (source / part).read_bytes()
            if origin == STARTER:
                if part.parts[0] == "prompts" and part.parts[1] != language:
                    continue
                words = _words(name, title or titled(name), language, part, target.resolve().name)
                part, content = Path(_own(part.as_posix(), words)), _own(content.decode("utf-8"), words).encode("utf-8")
            elif part == Path("workflow.yaml"):
                content = _renamed(content, origin, name, title)
            place = target / part
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(_led(part, content))
        text = json.dumps(for_editors(loader.schema(), {}), indent=1, ensure_ascii=False)
        (target / _BUNDLE).write_text(f"{text}\n", encoding="utf-8")
        (target / _SCENARIO).write_text(published.text("scenario"), encoding="utf-8")
    except OSError as error:
        _clear(target, made)
        raise UsageError(f"{folder} cannot be written: {error.strerror}", "Name another folder.") from error
    return sorted(file.relative_to(target).as_posix() for file in target.rglob("*") if file.is_file())


def _check_title(title: str) -> None:
    """One line of text, which a file can hold."""
    if not title.isprintable() or len(title) > LONGEST_TITLE:  # half of a surrogate pair is not printable either
        raise UsageError(
            f"{visible(title)[:60]!r} cannot be a title", f"One line of text, {LONGEST_TITLE} characters at most."
        )


def _source(origin: str) -> Path:
    known = origins()
    if origin not in known:
        raise UsageError(
            f"there is no bundle {visible(origin)[:60]!r} to begin with", f"There are: {', '.join(known)}."
        )
    return Path(__file__).parent / STARTER if origin == STARTER else packaged()


def _empty(folder: Path) -> Path:
    try:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise UsageError(f"{folder} is no folder", "Name a new folder.")
        if folder.is_dir() and any(folder.iterdir()):
            raise UsageError(f"the folder {folder} is not empty", "Name a new one, or an empty one.")
    except OSError as error:
        raise UsageError(f"{folder} cannot be looked into: {error.strerror}", "Name another folder.") from error
    return folder


def _files(source: Path) -> Iterator[Path]:
    """What makes up a bundle, and nothing that stands beside it; the README is the starter's own."""
    for part in _PARTS:
        place = source / part
        if place.is_file() and (part != "README.md" or source.name == STARTER):
            yield Path(part)
        for file in sorted(place.rglob("*")) if place.is_dir() else ():
            if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith("."):
                yield file.relative_to(source)


def _words(name: str, title: str, language: str, part: Path, folder: str) -> Mapping[str, str]:
    """What stands in a file of the new bundle where the starter names itself; a README's commands name the folder."""
    plain = "order" if name in _TAKEN else name.replace("-", "_")
    return {
        "title": json.dumps(title, ensure_ascii=False),
        "languages": f"[{language}]",
        "workflow": json.dumps(name) if name in _TAKEN else name,
        "key": plain.upper(),
        "plain": plain,
        "name": shlex.quote(folder) if part.name == "README.md" else name,
        "said": title.replace("$", "$$") if part.parts[0] == "prompts" else title,
    }


def _own(text: str, words: Mapping[str, str]) -> str:
    """Every place in one pass, so that no word that was put in is read again."""
    return _PLACES.sub(lambda found: words[(found.lastgroup or "").rstrip("_")], text)


def _renamed(content: bytes, origin: str, name: str, title: str) -> bytes:
    """The packaged bundle's ``workflow.yaml`` under another name, and title if there is one."""
    text = content.decode("utf-8")
    text = re.sub(rf"^workflow: {re.escape(origin)}$", f"workflow: {name}", text, count=1, flags=re.MULTILINE)
    if title:
        quoted = json.dumps(title, ensure_ascii=False)
        text = re.sub(r"^title: .*$", lambda _: f"title: {quoted}", text, count=1, flags=re.MULTILINE)
    return text.encode("utf-8")


def _led(part: Path, content: bytes) -> bytes:
    """The file of a new bundle; the first line of a YAML file leads to the schema that comes along."""
    if part.suffix != ".yaml":
        return content
    schema = _BUNDLE if part.name == "workflow.yaml" else f"../{_SCENARIO}"
    return _MODELINE.sub(f"# yaml-language-server: $schema={schema}".encode(), content, count=1)


def _called(yaml: Path) -> str:
    """The name of a bundle, read from its one line: no bundle is checked for it."""
    found = re.search(r"^workflow: ([\w-]+)", yaml.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else yaml.parent.name


def _clear(target: Path, made: bool) -> None:
    """The folder as it was found: not there, or empty."""
    if made:
        shutil.rmtree(target, ignore_errors=True)
        return
    for part in (*_PARTS, _BUNDLE, _SCENARIO):
        place = target / part
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
