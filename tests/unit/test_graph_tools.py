"""The drawings in the real tools, where they are installed: Graphviz and Mermaid's own parser.

For Mermaid: `npm install mermaid jsdom` in any folder, and NODE_PATH set to its `node_modules`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.unit.test_graph import NASTY, SMALL
from workflow.bundle import open_bundle
from workflow.machine.definition import Definition
from workflow.show.formats import dot, mermaid
from workflow.show.graph import Graph, draw

ROOT = Path(__file__).parents[2]
DOT, NODE = shutil.which("dot"), shutil.which("node")
PARSE = """
const {pathToFileURL} = require('url');
const {JSDOM} = require('jsdom');
global.window = new JSDOM('').window; global.document = window.document;
import(pathToFileURL(require.resolve('mermaid'))).then(async ({default: mermaid}) => {
  const text = require('fs').readFileSync(0, 'utf8');
  await mermaid.parse(text);
  const {db} = await mermaid.mermaidAPI.getDiagramFromText(text);
  const nodes = [...db.getVertices().values()].map(each => each.text);
  console.log(JSON.stringify({nodes, edges: db.getEdges().map(each => each.text), title: db.getDiagramTitle()}));
}).catch(error => { console.error(String(error)); process.exit(1); });
"""


def hostile() -> Graph:
    """A machine whose names try to be syntax."""
    document = {
        **SMALL,
        "title": NASTY,
        "events": {**SMALL["events"], NASTY: {}},
        "on": {NASTY: "over.done"},
        "phases": {**SMALL["phases"], "end": {NASTY: {"do": NASTY, "then": {NASTY: "over.done"}}}},
    }
    return draw(Definition.from_document(document), {})


def reference() -> Graph:
    """The machine of the reference bundle."""
    bundle = open_bundle(ROOT)
    return draw(bundle.definition, {name: action.effect for name, action in bundle.registry.actions.items()})


@cache
def mermaid_is_there() -> bool:
    """Whether node finds Mermaid and the document that it wants around it."""
    asked = "require.resolve('mermaid'); require.resolve('jsdom')"
    return NODE is not None and subprocess.run([NODE, "-e", asked], capture_output=True, timeout=60).returncode == 0


@pytest.mark.skipif(DOT is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("graph", [reference, hostile])
def test_graphviz_draws_it(graph: Callable[[], Graph]) -> None:
    """`dot` takes it without a word, and its picture has every state and every move."""
    assert DOT
    drawn = graph()
    ended = subprocess.run([DOT, "-Tsvg"], input=dot(drawn).encode(), capture_output=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")
    kinds = [element.get("class") for element in ElementTree.fromstring(ended.stdout).iter()]
    assert kinds.count("edge") == len(drawn.moves)
    assert kinds.count("node") == len(drawn.nodes) + 7 + 1  # the legend, and "wherever the session waits"


@pytest.mark.parametrize("graph", [reference, hostile])
def test_mermaid_reads_it(graph: Callable[[], Graph]) -> None:
    """Mermaid's own parser finds every state and every move."""
    if not mermaid_is_there():
        pytest.skip("node does not find mermaid and jsdom")
    assert NODE
    drawn = graph()
    ended = subprocess.run([NODE, "-e", PARSE], input=mermaid(drawn), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert len(found["nodes"]) == len(drawn.nodes) + 7 + 1 and len(found["edges"]) == len(drawn.moves)
