"""The page before all else: it names its server and the scripts that its screen needs, and answers for nothing more."""

import json
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from maya_core.ui.places import DRAWN_WITH
from maya_core.web.middleware import content_security_policy
from maya_core.web.shell import Shell, page_shell

INDEX = """<!DOCTYPE html>
<html><head>
<script>window.prerenderReady = false</script>
<script type="module" crossorigin src="./static/js/index.js"></script>
<link rel="modulepreload" crossorigin href="./static/js/react.js">
</head><body><div id="root"></div></body></html>
"""
MANIFEST = {
    "index.html": {"file": "static/js/index.js", "name": "index", "imports": ["_react.js"]},
    "_react.js": {"file": "static/js/react.js", "name": "react"},
    "_field.js": {"file": "static/js/field.js", "name": "field", "imports": ["_react.js", "_label.js"]},
    "_label.js": {"file": "static/js/label.js", "name": "label", "imports": ["_field.js"]},
    "TextInput.tsx": {
        "file": "static/js/TextInput.js",
        "name": "TextInput",
        "isDynamicEntry": True,
        "imports": ["index.html", "_field.js"],
    },
    "Slider.tsx": {"file": "static/js/Slider.js", "name": "Slider", "isDynamicEntry": True, "imports": ["_label.js"]},
}
STREAMLIT = Path(streamlit.__file__).parent / "static"


@pytest.fixture
def static(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(INDEX, "utf-8")
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST), "utf-8")
    return tmp_path


async def behind(_: object) -> PlainTextResponse:
    return PlainTextResponse("the app")


@pytest.fixture
def client(static: Path) -> TestClient:
    pages = {"/": page_shell(static, []), "/memory": page_shell(static, ["Slider"])}
    app = Starlette(
        routes=[Route("/{path:path}", behind, methods=["GET", "HEAD", "POST"])],
        middleware=[Middleware(Shell, pages=pages)],
    )
    return TestClient(app, base_url="http://127.0.0.1:8501")


def test_the_server_is_named_before_the_first_script_runs(static: Path) -> None:
    page = page_shell(static, [])
    assert page.index("BACKEND_BASE_URL") < page.index('<script type="module"')
    assert page.count("<script") == INDEX.count("<script") + 1


def test_the_scripts_of_the_elements_and_all_that_they_import_are_asked_for_once(static: Path) -> None:
    page = page_shell(static, ["TextInput", "Slider"])
    for script in ("TextInput", "Slider", "field", "label", "react", "index"):
        assert page.count(f"static/js/{script}.js") == 1, script
    assert page.index("static/js/react.js") < page.index("static/js/field.js") < page.index("</head>")


def test_an_element_that_is_not_there_is_left_to_streamlit(static: Path) -> None:
    assert page_shell(static, ["Telepathy", "index", "field"]) == page_shell(static, [])


def test_each_screen_has_its_page_which_browsers_ask_for_every_time(client: TestClient) -> None:
    chat, memory = client.get("/?chat=1"), client.get("/memory?tab=facts")
    assert "Slider.js" in memory.text
    assert "Slider.js" not in chat.text
    for answer in (chat, memory):
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        assert '<div id="root">' in answer.text


@pytest.mark.parametrize("path", ["/memory/", "/memory/_stcore/health", "/elsewhere", "/static/js/index.js"])
def test_every_other_address_is_the_apps(client: TestClient, path: str) -> None:
    assert client.get(path).text == "the app"


def test_only_reading_is_answered(client: TestClient) -> None:
    assert client.post("/memory").text == "the app"


def test_one_policy_allows_the_scripts_of_every_screen_and_what_streamlit_itself_would_answer() -> None:
    screens = {content_security_policy(page_shell(STREAMLIT, drawn)) for drawn in DRAWN_WITH.values()}
    assert len(screens) == 1
    plain = content_security_policy((STREAMLIT / "index.html").read_text("utf-8"))
    hashes = [part.rstrip(";") for part in plain.split() if part.startswith("'sha256-")]
    assert hashes
    assert all(one in next(iter(screens)) for one in hashes)


@pytest.mark.parametrize("element", sorted({name for drawn in DRAWN_WITH.values() for name in drawn}))
def test_streamlit_has_every_element_that_a_screen_is_drawn_with(element: str) -> None:
    assert page_shell(STREAMLIT, [element]) != page_shell(STREAMLIT, [])
