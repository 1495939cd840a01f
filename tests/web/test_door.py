"""The door: Host, Origin, headers, for plain requests and for the socket."""

from pathlib import Path

import httpx
import pytest
import streamlit
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from maya_core.web.middleware import Gate, SecurityHeaders, content_security_policy
from maya_core.web.routes import routes

OWN = "127.0.0.1:8501"


async def anything(_: object) -> PlainTextResponse:
    return PlainTextResponse("inside")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    app = Starlette(
        routes=[
            *routes(),
            Route("/page", anything, methods=["GET", "POST"]),
            Route("/_stcore/metrics", anything),
            WebSocketRoute("/_stcore/stream", stream),
        ],
        middleware=[
            Middleware(Gate, allowed_hosts=("127.0.0.1", "localhost", "maya.example.org")),
            Middleware(SecurityHeaders, policy="default-src 'self'"),
        ],
    )
    return TestClient(app, base_url=f"http://{OWN}")


@pytest.mark.parametrize("host", [OWN, "localhost:8501", "LOCALHOST:1", "127.0.0.1", "maya.example.org"])
def test_configured_names_are_let_in(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).json() == {"status": "ok"}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "maya.example.org.evil.example:8501", "[::1]:8501", "0.0.0.0", ""],
)
def test_other_names_are_refused_on_every_route(client: TestClient, host: str) -> None:
    for path in ("/healthz", "/page", "/unknown"):
        assert client.get(path, headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    ("host", "expected"), [("maya.example.org:8501", 200), ("maya.example.org:9000", 403), ("maya.example.org", 403)]
)
def test_a_name_given_with_a_port_is_meant_with_it(host: str, expected: int) -> None:
    app = Starlette(routes=routes(), middleware=[Middleware(Gate, allowed_hosts=("Maya.example.org:8501",))])
    client = TestClient(app, base_url=f"http://{OWN}")
    assert client.get("/healthz", headers={"host": host}).status_code == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (f"http://{OWN}", 200),
        (f"https://{OWN}", 200),
        ("http://evil.example", 403),
        ("http://127.0.0.1:9999", 403),
        ("http://localhost:8501", 403),
        ("null", 403),
        ("file://", 403),
        (f"http://{OWN}.evil.example", 403),
    ],
)
def test_a_request_must_come_from_our_own_origin(client: TestClient, origin: str, expected: int) -> None:
    assert client.post("/page", headers={"origin": origin}).status_code == expected
    assert client.get("/page", headers={"origin": origin}).status_code == expected


def test_a_change_from_another_site_is_refused_even_without_an_origin(client: TestClient) -> None:
    assert client.post("/page", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post("/page").status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://localhost:9999", "http://127.0.0.1:9999", "null", None]
)
def test_the_socket_is_refused_to_every_other_origin_and_to_none(client: TestClient, origin: str | None) -> None:
    headers = {"host": OWN} | ({"origin": origin} if origin else {})
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/_stcore/stream", headers=headers):
        pass
    assert caught.value.code == 1008


def test_the_socket_opens_for_our_own_page(client: TestClient) -> None:
    headers = {"host": OWN, "origin": f"http://{OWN}"}
    with client.websocket_connect("/_stcore/stream", headers=headers) as socket:
        assert socket.receive_text() == "inside"


def test_streamlits_open_metrics_are_closed(client: TestClient) -> None:
    assert client.get("/_stcore/metrics").status_code == 403


def test_every_response_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/healthz", "/page", "/unknown"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == "default-src 'self'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"


def test_https_is_asked_for_where_the_request_came_by_it_and_not_on_plain_http(client: TestClient) -> None:
    assert "strict-transport-security" not in client.get("/page").headers
    for path in ("/healthz", "/page", "/unknown"):
        headers = client.get(f"https://maya.example.org{path}").headers
        assert headers["strict-transport-security"] == "max-age=31536000"


async def test_a_proxy_on_this_machine_says_whether_a_request_came_by_https() -> None:
    app = Starlette(routes=routes(), middleware=[Middleware(SecurityHeaders, policy="default-src 'self'")])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{OWN}") as proxy:
        told = await proxy.get("/healthz", headers={"x-forwarded-proto": "https"})
        assert told.headers["strict-transport-security"] == "max-age=31536000"
        assert "strict-transport-security" not in (await proxy.get("/healthz")).headers


def test_the_policy_names_the_page_shells_inline_scripts_and_nothing_from_outside() -> None:
    policy = content_security_policy((Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8"))
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "'sha256-" in script
    assert "unsafe-eval'" not in script.replace("wasm-unsafe-eval", "")
    assert "'unsafe-inline'" not in script
    assert "http" not in policy


def test_a_changed_inline_script_gets_another_hash() -> None:
    one = content_security_policy("<script>one()</script><script src='x.js'></script>")
    assert content_security_policy("<script>two()</script>") != one
    assert one.count("sha256-") == 1
