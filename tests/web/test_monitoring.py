"""`/readyz` and `/metrics`: who is answered, with what, and that a store that is away is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maya_core import settings
from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Overrides, build_container
from maya_core.domain.generation import Finished, FinishReason, Prompt, PromptMessage, TextDelta, Usage
from maya_core.engine import Engine
from maya_core.providers.scripted import ScriptedProvider
from maya_core.stores.factory import open_stores
from maya_core.ui import runtime
from maya_core.web.routes import routes
from tests.ui.stage import Switchable

TOKEN = "a-token-of-a-test"
LOCAL = ("127.0.0.1", 4000)


class Running:
    """A Maya with a scripted model, and the routes of its launcher."""

    def __init__(self, folder: Path) -> None:
        self.chosen = settings.load(
            {
                "MAYA_DATA_DIR": str(folder),
                "MAYA_EMBEDDINGS": "off",
                "MAYA_EMBEDDED_REDIS": "off",
                "MAYA_DRAIN_S": "0.1",
            }
        )
        engine = Engine()
        self.store = Switchable(engine.run(open_stores(self.chosen)).transcripts)
        end = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1))
        provider = ScriptedProvider([(TextDelta(text="A reply."), end)])
        overrides = Overrides(transcripts=self.store.as_store(), providers=(provider,))
        container = engine.run(build_container(self.chosen, overrides=overrides))
        self.maya = runtime.Runtime(engine, container)
        runtime._holder.runtime = self.maya

    def client(self, *, token: str = "", address: tuple[str, int] = LOCAL) -> TestClient:
        chosen = settings.load({"MAYA_DATA_DIR": str(self.chosen.data_dir), "MAYA_METRICS_TOKEN": token})
        return TestClient(Starlette(routes=routes(runtime.monitoring(chosen))), client=address)

    def ask(self) -> None:
        async def one() -> None:
            prompt = Prompt(system="", messages=(PromptMessage(role="user", text="hello"),))
            async for _ in self.maya.container.chain.stream(prompt):
                pass

        self.maya.engine.run(one())


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield Running(tmp_path)
    runtime.stop()


def test_a_ready_maya_names_its_parts(running: Running) -> None:
    answer = running.client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "parts": {"saved chats": "up", "fast memory": "up"}}
    assert answer.headers["cache-control"] == "no-store"


def test_without_saved_chats_nobody_can_be_served(tmp_path: Path) -> None:
    running = Running(tmp_path)
    try:
        running.store.switch_off()
        running.maya.container.health.pings = {"saved chats": running.store.as_store().ping}
        answer = running.client().get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "not ready", "parts": {"saved chats": "away"}}
        running.store.switch_on()
    finally:
        runtime.stop()


def test_without_fast_memory_people_can_be_served(running: Running) -> None:
    async def away() -> None:
        raise TimeoutError

    running.maya.container.health.pings = {**running.maya.container.health.pings, "fast memory": away}
    answer = running.client().get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["fast memory"]) == (200, "away")


def test_a_maya_that_has_not_started_is_not_ready(running: Running) -> None:
    client = running.client()
    runtime.stop()
    assert client.get("/readyz").status_code == 503
    assert client.get("/metrics").status_code == 503


def test_the_figures_hold_states_calls_and_stores(running: Running) -> None:
    running.ask()
    running.maya.engine.run(running.maya.container.watch.look())
    answer = running.client().get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    circuit = 'model="script",provider="scripted"'
    assert f"maya_breaker_state{{{circuit}}} 0.0" in lines
    assert 'maya_calls_total{model="script",outcome="answered",provider="scripted"} 1.0' in lines
    assert f'maya_first_text_seconds_bucket{{le="+Inf",{circuit}}} 1.0' in lines
    assert 'maya_part_up{part="saved chats"} 1.0' in lines
    assert "maya_drills 0.0" in lines
    assert LOCAL_USER.id not in answer.text


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        (LOCAL, {}, 200),
        (("::1", 1), {}, 200),
        (("10.0.0.7", 1), {}, 404),
        (LOCAL, {"x-forwarded-for": "10.0.0.7"}, 404),
        (LOCAL, {"forwarded": "for=10.0.0.7"}, 404),
        (("testclient", 1), {}, 404),
    ],
)
def test_without_a_token_only_this_machine_is_answered(
    running: Running, address: tuple[str, int], headers: dict[str, str], status: int
) -> None:
    assert running.client(address=address).get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (TOKEN, 404),
        ("Bearer other", 404),
        ("Bearer ", 404),
        ("", 404),
    ],
)
def test_with_a_token_only_its_bearer_is_answered_from_anywhere(
    running: Running, authorization: str, status: int
) -> None:
    for address in (LOCAL, ("10.0.0.7", 1)):
        client = running.client(token=TOKEN, address=address)
        assert client.get("/metrics", headers={"authorization": authorization}).status_code == status
