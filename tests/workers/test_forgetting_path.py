"""The whole path of forgetting: asked on the app, done as a job, and a receipt that ends verified twice."""

import asyncio
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Container, build_container
from maya_core.domain.forgetting import ForgetRequest, Keeper, KeeperState, RequestId, RequestState, Scope, ScopeKind
from maya_core.domain.ids import new_id
from maya_core.errors import NotFound
from tests.memory.forgetting_world import in_bytes, in_redis
from tests.workers.test_memory_path import say
from workers.jobs import TABLE

SOON = {"MAYA_SWEEP_EVERY_S": "0.2", "MAYA_FORGET_LOOK_AGAIN_S": "0.5", "MAYA_EMBEDDED_REDIS": "off"}


async def ended(container: Container, request: ForgetRequest) -> ForgetRequest:
    for _ in range(600):
        found = await container.memory.forgetting.receipt(request.user_id, request.id)
        if found.state is RequestState.DONE:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("the request never ended")


@pytest.mark.timeout(120)
async def test_a_chat_is_forgotten_by_a_job_and_read_again_twice(tmp_path: Path) -> None:
    environ = {"MAYA_DATA_DIR": str(tmp_path), "MAYA_EMBEDDINGS": "off", **SOON}
    container = await build_container(settings.load(environ, env_file=Path("/nonexistent/.env")), jobs=TABLE)
    try:
        chat = (await container.conversations.new(LOCAL_USER)).id
        await say(container, chat, "I live in Zanzibar.")
        await container.memory.consolidation.run(LOCAL_USER.id, chat)
        asked = await container.memory.forgetting.ask(
            LOCAL_USER.id, Scope(kind=ScopeKind.CONVERSATION, id=chat), RequestId(new_id())
        )
        with pytest.raises(NotFound):  # at once, before anything is removed
            await container.conversations.open(LOCAL_USER, chat)
        done = await ended(container, asked)
        assert {each.keeper for each in done.accounts} == set(Keeper)
        assert all(each.state is KeeperState.VERIFIED for each in done.accounts)
        assert await container.memory.graph.facts(LOCAL_USER.id) == []
        assert in_bytes(tmp_path / "maya.db", ["Zanzibar"]) == []
        assert await in_redis(container.redis.client, ["Zanzibar"]) == []
    finally:
        await container.close()
