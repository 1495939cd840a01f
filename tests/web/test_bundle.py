"""Streamlit's files from memory: what is answered there, and what is left to the app behind it."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from maya_core.web.bundle import Bundle
from maya_core.web.middleware import SecurityHeaders

SCRIPT = "console.log('é')".encode()


async def behind(_: object) -> PlainTextResponse:
    return PlainTextResponse("the app")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    folder = tmp_path / "static"
    (folder / "js").mkdir(parents=True)
    (folder / "js" / "index.Abc123.js").write_bytes(SCRIPT)
    (folder / "font.Abc123.woff2").write_bytes(b"\x00\x01")
    (tmp_path / "secret.txt").write_text("not for browsers", "utf-8")
    app = Starlette(
        routes=[Route("/{path:path}", behind, methods=["GET", "HEAD", "POST"])],
        middleware=[
            Middleware(SecurityHeaders, policy="default-src 'self'"),
            Middleware(Bundle, folder=folder, address="/static/"),
        ],
    )
    return TestClient(app, base_url="http://127.0.0.1:8501")


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [("js/index.Abc123.js", SCRIPT, "text/javascript"), ("font.Abc123.woff2", b"\x00\x01", "font/woff2")],
)
def test_a_file_is_whole_typed_and_may_be_kept_for_good(client: TestClient, path: str, body: bytes, kind: str) -> None:
    answer = client.get(f"/static/{path}")
    assert answer.status_code == 200
    assert answer.content == body
    assert answer.headers["content-type"].split(";")[0] == kind
    assert answer.headers["content-length"] == str(len(body))
    assert answer.headers["cache-control"] == "public, immutable, max-age=31536000"


def test_it_passes_the_door_as_everything_else_does(client: TestClient) -> None:
    for _ in range(2):
        headers = client.get("/static/js/index.Abc123.js").headers
        assert headers["content-security-policy"] == "default-src 'self'"
        assert headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in headers
    over_tls = client.get("https://127.0.0.1:8501/static/js/index.Abc123.js").headers
    assert "strict-transport-security" in over_tls
    assert "strict-transport-security" not in client.get("/static/js/index.Abc123.js").headers


def test_the_disk_is_asked_once(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/static/js/index.Abc123.js").content == SCRIPT
    (tmp_path / "static" / "js" / "index.Abc123.js").unlink()
    (tmp_path / "static" / "font.Abc123.woff2").unlink()
    assert client.get("/static/js/index.Abc123.js").content == SCRIPT
    assert client.get("/static/font.Abc123.woff2").text == "the app", "never read, and gone"


@pytest.mark.parametrize(
    "path",
    ["/", "/static/", "/static/js", "/static/js/other.js", "/static/../secret.txt", "/static/%2e%2e/secret.txt"],
)
def test_everything_else_is_the_apps(client: TestClient, path: str) -> None:
    assert client.get(path).text == "the app"


@pytest.mark.parametrize("header", ["range", "if-none-match", "if-modified-since"])
def test_a_part_and_a_change_are_the_apps(client: TestClient, header: str) -> None:
    assert client.get("/static/js/index.Abc123.js", headers={header: "bytes=0-1"}).text == "the app"


def test_only_reading_is_answered(client: TestClient) -> None:
    assert client.post("/static/js/index.Abc123.js").text == "the app"
