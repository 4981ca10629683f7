"""Opening bundles on disk: digest, cache, import by path, and every fault of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow import bundle as bundle_module
from workflow.bundle import Bundle, engine, find_problems, lint, loader, open_bundle, packaged
from workflow.machine.guards import BUILT_IN
from workflow.model.errors import BundleError, BundleFaults, DefinitionError, UnknownName

YAML = """\
format: 1
workflow: tiny
languages: [en]
service: {base_url: https://api.example, sandbox: phases.inner.twin}
data: {words: text, link: url}
events:
  start: {input: [words]}
  go: {}
trouble: {else: sorry}
start: one.choosing
phases:
  one:
    choosing: {then: {ready: one.waiting, else: one.looking}}
    looking: {do: look, then: one.waiting}
    waiting: {say: wait, on: {go: one.over}}
    over: {say: bye, end: done}
"""
FILES = {
    "workflow.yaml": YAML,
    "prompts/en/sorry.md": "Sorry.\n",
    "prompts/en/wait.md": "See ${link}\n\n",
    "prompts/en/bye.md": "Goodbye.",
    "phases/first.py": (
        "from workflow import Done, action\n"
        "from .inner.shared import ANSWER\n\n\n"
        '@action(effect="read", sets=["link"])\n'
        "def look(call):\n"
        '    return Done({"link": ANSWER})\n'
    ),
    "phases/second.py": (
        "from workflow import PASSES, guard\n\n\n"
        "@guard()\n"
        "def ready(facts):\n"
        "    return PASSES\n"
    ),
    "phases/inner/shared.py": 'ANSWER = "https://api.example/1"\n',
    "phases/inner/twin.py": "from .shared import ANSWER\n",
}  # fmt: skip
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes the tiny bundle, changed as told (None leaves a file out), into a folder of its own."""

    def write(changes: dict[str, str | bytes | None] | None = None, name: str = "tiny") -> Path:
        root = tmp_path / name
        for file, content in {**FILES, **(changes or {})}.items():
            if content is not None:
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                (root / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return write


def opened_link(bundle: Bundle) -> object:
    """What the bundle's action answers."""
    return bundle.registry.actions["look"].perform(None).data["link"]  # type: ignore[arg-type]


def test_a_bundle_is_opened_whole(make: Make) -> None:
    """Definition, code and texts, with one newline at the end of a text taken away."""
    bundle = open_bundle(make())
    assert bundle.path == make()
    assert bundle.definition.start == "one.choosing"
    assert bundle.prompts == {"en": {"sorry": "Sorry.", "wait": "See ${link}\n", "bye": "Goodbye."}}
    assert bundle.briefs == {}
    assert set(bundle.registry.guards) == {"watched", "in_doubt", "ready"}
    assert opened_link(bundle) == "https://api.example/1"


def test_a_bundle_needs_no_python(make: Make) -> None:
    """One that only asks and answers has no phases folder."""
    text = YAML.replace("{then: {ready: one.waiting, else: one.looking}}", "{then: one.waiting}")
    text = text.replace("    looking: {do: look, then: one.waiting}\n", "").replace(
        "input: [words]", "input: [words, link]"
    )
    python = dict.fromkeys([name for name in FILES if name.startswith("phases")])
    assert open_bundle(make({"workflow.yaml": text, **python})).registry.actions == {}


@pytest.mark.rule("R2")
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("workflow.yaml", "tiny", "tidy"),
        ("prompts/en/bye.md", "Goodbye.", "Goodby!!"),
        ("phases/first.py", "return Done", "return  Done"),
        ("phases/inner/shared.py", "example/1", "example/2"),
    ],
)
def test_any_change_changes_the_digest(make: Make, file: str, old: str, new: str) -> None:
    """YAML, a prompt, a phase, or what a phase imports; put back, the digest is what it was."""
    before = open_bundle(make()).digest
    assert open_bundle(make({file: FILES[file].replace(old, new)})).digest != before
    assert open_bundle(make()).digest == before


def test_the_digest_is_of_what_counts_alone(make: Make, tmp_path: Path) -> None:
    """Not of the place, nor of hidden and other files; but of names, and of what is not imported at once."""
    before = open_bundle(make()).digest
    others = {"README.md": "x", "phases/.x.py": "x", "phases/data.json": "1", "phases/__pycache__/a.py": "x"}
    assert open_bundle(make(others, "copy")).digest == before
    assert open_bundle(make({"phases/inner/more.py": ""}, "more")).digest != before
    assert open_bundle(make({"prompts/README.md": "x"}, "text")).digest != before


def test_what_was_digested_is_what_runs(make: Make) -> None:
    """A file of the same size and time with other content is other code, and nothing is written beside it."""
    root = make()
    assert opened_link(open_bundle(root)) == "https://api.example/1"
    times = os.stat(root / "phases/inner/shared.py")
    make({"phases/inner/shared.py": 'ANSWER = "https://api.example/2"\n'})
    os.utime(root / "phases/inner/shared.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert opened_link(open_bundle(root)) == "https://api.example/2"
    assert not list(root.rglob("__pycache__"))


def test_several_bundles_live_in_one_process(make: Make) -> None:
    """Each has its own modules, under names that collide with nobody's."""
    first = open_bundle(make())
    second = open_bundle(make({"phases/inner/shared.py": 'ANSWER = "https://api.example/2"\n'}, "second"))
    assert (opened_link(first), opened_link(second)) == ("https://api.example/1", "https://api.example/2")
    assert first.module("phases.inner.twin") is not second.module("phases.inner.twin")
    assert first.module("phases.inner.twin") is open_bundle(first.path).module("phases.inner.twin")
    assert open_bundle(first.path).registry is first.registry
    assert "phases.inner.twin" not in sys.modules


def test_modules_are_imported_on_demand(make: Make) -> None:
    """The sandbox costs nothing until it is asked for; relative imports work in it."""
    bundle = open_bundle(make())
    loaded = [name for name in sys.modules if name.startswith("_phasegate_") and name.endswith("twin")]
    module = bundle.module("phases.inner.twin")
    assert module.__name__ not in loaded
    assert module.ANSWER == "https://api.example/1"
    assert module.__file__ == str(bundle.path / "phases/inner/twin.py")


@pytest.mark.parametrize("name", ["phases.other", "phases.inner", "os", "phases", "phases/first", "workflow"])
def test_only_modules_of_the_bundle_are_found(make: Make, name: str) -> None:
    """No name leads out of it."""
    with pytest.raises(UnknownName, match="has no module"):
        open_bundle(make()).module(name)


def test_a_kept_bundle_is_neither_read_nor_checked_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn pays for YAML and checks once per content."""
    store: dict[str, str] = {}
    first = open_bundle(make(), kept=store.get, keep=store.__setitem__)
    assert list(store) == [f"{first.digest}:{engine()}"]

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(loader, "read", never)
    monkeypatch.setattr(lint, "lint", never)
    again = open_bundle(make(), kept=store.get, keep=never)
    assert again == first
    assert list(again.definition.states["one.choosing"].then.names) == ["ready"]  # type: ignore[union-attr]


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"a": 1, "a": 2}'])
def test_a_damaged_copy_is_made_again(make: Make, damage: str) -> None:
    """The store is a cache here, not a source of truth."""
    kept: list[str] = []
    open_bundle(make(), kept=lambda key: damage, keep=lambda key, content: kept.append(content))
    assert json.loads(kept[0])["document"]["workflow"] == "tiny"


def test_a_bundle_with_faults_is_never_kept(make: Make) -> None:
    """Nothing can slip past the checks on the second try."""
    root = make({"workflow.yaml": YAML.replace("{say: bye,", "{say: by,")})
    for _ in range(2):
        with pytest.raises(BundleFaults, match=r"workflow.yaml:16:17: unknown message 'by'; did you mean 'bye'\?"):
            open_bundle(root, keep=lambda key, content: pytest.fail("kept"))


def test_the_key_changes_with_the_code_that_checks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What an older engine let pass is looked at again by a newer one."""
    before = engine.__wrapped__()
    copy = tmp_path / "workflow"
    shutil.copytree(Path(bundle_module.__file__).parents[1], copy)
    monkeypatch.setattr(bundle_module, "__file__", str(copy / "bundle" / "__init__.py"))
    assert engine.__wrapped__() == before
    loader = copy / "bundle" / "loader.py"
    loader.write_bytes(loader.read_bytes() + b"\n")
    assert engine.__wrapped__() != before


def test_all_faults_of_all_files_are_told_at_once(make: Make) -> None:
    """YAML, texts and Python, each with its place; opening raises exactly what lint reports."""
    root = make(
        {
            "workflow.yaml": YAML.replace("else: sorry", "else: sory"),
            "prompts/en/bye.md": "Bye $",
            "phases/second.py": "import no_such_module_anywhere\n",
        }
    )
    found = [str(problem) for problem in find_problems(root)]
    assert found == [
        "workflow.yaml:9:17: unknown message 'sory'; did you mean 'sorry'?",
        "prompts/en/bye.md:1:5: a stray '$'; write $$ for a dollar sign",
        "phases/second.py:1:1: ModuleNotFoundError: No module named 'no_such_module_anywhere'",
    ]
    with pytest.raises(BundleFaults) as caught:
        open_bundle(root)
    assert str(caught.value).splitlines() == found


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("phases/first.py", "def look(:\n", "phases/first.py:1:1: SyntaxError: invalid syntax"),
        ("phases/first.py", "\n\n1 / 0\n", "phases/first.py:3:1: ZeroDivisionError: division by zero"),
        ("phases/first.py", "from .gone import x\n",
         "phases/first.py:1:1: ModuleNotFoundError: No module named 'phases.gone'"),
        ("phases/first.py", "from . import gone\n",
         "phases/first.py:1:1: ImportError: cannot import name 'gone' from 'phases' (unknown location)"),
        ("phases/first.py", "raise SystemExit('a\\nb\\x1b[31m')\n",
         "phases/first.py:1:1: SystemExit: a b\\u{1b}[31m"),
        ("phases/inner/shared.py", "X = 1\nY = NAME\n",
         "phases/inner/shared.py:2:1: NameError: name 'NAME' is not defined"),
        ("phases/first.py", b"X = '\xff'\n", "phases/first.py:1:1: SyntaxError: "),
        ("phases/third.py", FILES["phases/second.py"],
         "phases:1:1: 'ready' is defined twice, the second time in phases.third"),
        ("prompts/en/bye.md", b"a\nb\xff", "prompts/en/bye.md:2:1: not UTF-8"),
        ("prompts/en/bye.md", "x" * 1_048_577, "prompts/en/bye.md:1:1: larger than 1024 KiB"),
        ("workflow.yaml", "x: [", "workflow.yaml:1:5: not YAML: "),
    ],
    ids=str,
)  # fmt: skip
def test_a_fault_of_one_file_is_one_line(make: Make, file: str, content: str | bytes, expected: str) -> None:
    """The file, the line and the reason; never a traceback, nor a private name."""
    root = make({file: content})
    found = [str(problem) for problem in find_problems(root)]
    assert [line for line in found if line.startswith(expected)], found
    assert not any("_phasegate_" in line or "\n" in line for line in found)
    with pytest.raises(BundleError):
        open_bundle(root)


@pytest.mark.parametrize("place", ["phases/link.py", "phases/link", "prompts/en/link.md", "prompts/fr"])
def test_links_are_refused(make: Make, tmp_path: Path, place: str) -> None:
    """What a link stands for can change without the bundle changing."""
    root = make()
    (root / place).symlink_to(tmp_path)
    with pytest.raises(DefinitionError, match=f"^{place}:1:1: a bundle holds no links"):
        open_bundle(root)


def test_even_the_first_file_and_the_folders_are_no_links(make: Make) -> None:
    """The same at the top."""
    for name, place in (("a", "workflow.yaml"), ("b", "phases")):
        root = make(name=name)
        (root / place).rename(root / "real")
        (root / place).symlink_to(root / "real")
        assert "no links" in str(find_problems(root)[0])


def test_a_pipe_is_not_waited_for(make: Make) -> None:
    """Only regular files are read."""
    root = make({"prompts/en/bye.md": None})
    os.mkfifo(root / "prompts/en/bye.md")
    assert str(find_problems(root)[0]) == "prompts/en/bye.md:1:1: no regular file"


def test_a_missing_bundle_is_named_with_the_next_step(tmp_path: Path) -> None:
    """The folder, or the file in it."""
    with pytest.raises(BundleError, match=f"^the bundle {tmp_path}/gone is not there$") as caught:
        open_bundle(tmp_path / "gone")
    assert "workflow.yaml" in caught.value.hint
    with pytest.raises(BundleError, match=f"^the bundle {tmp_path} has no workflow.yaml$"):
        open_bundle(tmp_path)
    assert [str(problem) for problem in find_problems(tmp_path)] == [
        f"workflow.yaml:1:1: the bundle {tmp_path} has no workflow.yaml"
    ]


def test_a_relative_path_is_made_absolute(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session remembers it, and may be resumed from elsewhere."""
    root = make()
    monkeypatch.chdir(root.parent)
    assert open_bundle(Path("tiny")).path == root


def test_the_packaged_bundle_is_the_inner_one_if_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a wheel it lies within the package, in a checkout above it."""
    assert packaged() == Path(__file__).resolve().parents[2]
    (tmp_path / "workflow" / "_bundle").mkdir(parents=True)
    monkeypatch.setattr(bundle_module, "__file__", str(tmp_path / "workflow" / "bundle" / "__init__.py"))
    assert packaged() == tmp_path / "workflow" / "_bundle"


def test_a_kept_bundle_imports_its_python_when_it_is_called(make: Make, tmp_path: Path) -> None:
    """In a process of its own: no module of the bundle before a guard or an action runs, then the one it is in."""
    kept: dict[str, str] = {}
    root = make()
    made = open_bundle(root, keep=kept.__setitem__)
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    asked = next(name for name, guard in made.registry.guards.items() if guard not in BUILT_IN)
    code = f"""
import json, sys
from pathlib import Path
from workflow.bundle import open_bundle
from workflow.machine.registry import Facts
kept = json.loads(Path({str(tmp_path / "kept.json")!r}).read_text())
bundle = open_bundle(Path({str(root)!r}), kept=kept.get)
ours = lambda: [name for name in sys.modules if name.startswith("_phasegate_")]
assert not ours() and "workflow.bundle.lint" not in sys.modules and "yaml" not in sys.modules
bundle.registry.guards[{asked!r}].judge(Facts({{}}, {{}}, {{}}, False, False))
assert ours()
"""
    environ = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"]}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False)
    assert ended.returncode == 0, ended.stderr
