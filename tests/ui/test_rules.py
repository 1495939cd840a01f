"""Rules that the screens keep, read from their source."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from maya_core.settings import ROOT
from maya_core.ui.markup import ATTRIBUTES, TAGS

SOURCES = sorted([*(ROOT / "maya_core" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")])
SCRIPT = (ROOT / "maya_core" / "ui" / "assets" / "frame.js").read_text("utf-8")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_screen_can_show_raw_html(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.keyword):
            assert node.arg not in {"unsafe_allow_html", "unsafe_allow_javascript"}
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"html", "iframe", "write"}, f"{source.name}:{node.lineno}"


@pytest.mark.parametrize("page", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.name)
def test_every_page_asks_who_is_there_first(page: Path) -> None:
    statements = [s for s in ast.parse(page.read_text("utf-8")).body if not isinstance(s, ast.Import | ast.ImportFrom)]
    first = statements[1]
    assert isinstance(first, ast.Assign)
    assert ast.unparse(first.value) == "runtime.require_user()"


def test_the_main_script_has_no_pages_folder_beside_it() -> None:
    assert not (ROOT / "maya_core" / "ui" / "pages").exists()


def test_the_browser_allows_the_same_elements_as_the_server() -> None:
    listed = "".join(re.findall(r'"([^"]*)"', SCRIPT.split("const TAGS")[1].split("const PLAIN")[0]))
    assert set(listed.split()) - {" "} == TAGS


def test_the_browser_knows_every_attribute_that_the_server_may_send() -> None:
    handled = set(re.findall(r"\b[a-z]+\b", SCRIPT.split("const PLAIN")[1].split("const SAFE_ADDRESS")[0]))
    handled |= {"source", "key", "open", "width", "href"}
    assert handled >= ATTRIBUTES


def test_no_script_makes_elements_from_text() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", SCRIPT)
