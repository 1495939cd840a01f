"""A whole journey without a page, for a platform with less: chats, replies, embedding, consolidation and recall.

    python -m tests.support.bare_journey FOLDER      prints one JSON object

Says something in one chat, opens another, asks, and starts Maya a second time over the same folder.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from maya_core import settings
from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Container, build_container
from maya_core.domain.conversation import ConversationId, Message, MessageId, MessageStatus
from maya_core.domain.ids import new_id
from maya_core.engine import Engine
from maya_core.jobs.port import Job
from maya_core.memory.sweep import CONSOLIDATE
from workers.jobs import TABLE

_SAID = ("My dog is called Pepper.", "I live in Lisbon.", "I parked the car on level three of the Riverside garage.")
_WITHIN_S = 60.0


async def begin(folder: Path) -> Container:
    chosen = settings.load({"MAYA_DATA_DIR": str(folder), "MAYA_LOOKBACK_S": "30"}, env_file=Path("/nonexistent/.env"))
    return await build_container(chosen, jobs=TABLE)


async def say(container: Container, chat: ConversationId, text: str) -> Message:
    started = await container.turns.start(LOCAL_USER, chat, text, MessageId(new_id()))
    async with asyncio.timeout(_WITHIN_S):
        while True:
            reply = await container.transcripts.get_message(LOCAL_USER.id, started.reply.id)
            if reply.status is not MessageStatus.STREAMING:
                return reply
            await asyncio.sleep(0.02)


async def until_worked(container: Container, chat: ConversationId, *, consolidated: bool) -> None:
    """Wait until the jobs beside the turns have done what the chat needs."""
    async with asyncio.timeout(_WITHIN_S):
        while True:
            progress = await container.memory.batches.progress(LOCAL_USER.id, chat)
            done = progress.consolidated if consolidated else progress.embedded
            if done == progress.said == 2 * len(_SAID):
                return
            await asyncio.sleep(0.05)


async def first_life(folder: Path) -> dict[str, object]:
    container = await begin(folder)
    try:
        chat = (await container.conversations.new(LOCAL_USER)).id
        replies = [await say(container, chat, text) for text in _SAID]
        await until_worked(container, chat, consolidated=False)
        ids = {"user_id": LOCAL_USER.id, "conversation_id": chat}
        await container.jobs.enqueue(Job(name=CONSOLIDATE, ids=ids))
        await until_worked(container, chat, consolidated=True)
        other = (await container.conversations.new(LOCAL_USER)).id
        answer = await say(container, other, "Where did I park the car?")
        facts = await container.memory.graph.facts(LOCAL_USER.id)
        receipt = answer.receipt
        return {
            "replies": [reply.status.value for reply in replies],
            "answer": answer.status.value,
            "recalled": [] if receipt is None else [item.excerpt.text for item in receipt.recalled],
            "tiers": {} if receipt is None else {use.tier: use.outcome.value for use in receipt.tiers},
            "facts": len(facts),
            "differences": len(await container.memory.verification.verify(LOCAL_USER.id)),
            "redis": container.redis.url or "",
            "notice": container.redis.notice is not None,
        }
    finally:
        await container.close()


async def second_life(folder: Path) -> dict[str, object]:
    """Everything is there again, over the same folder."""
    container = await begin(folder)
    try:
        chats = await container.conversations.list_chats(LOCAL_USER)
        found = await container.memory.recall.search(LOCAL_USER.id, "What is my dog called?")
        return {"chats": len(chats), "found": [hit.excerpt.text for hit in found.hits]}
    finally:
        await container.close()


def main(folder: Path) -> None:
    engine = Engine()
    try:
        told = engine.run(first_life(folder), timeout_s=3 * _WITHIN_S)
        told |= engine.run(second_life(folder), timeout_s=_WITHIN_S)
    finally:
        engine.stop()
    told["missing"] = [not hasattr(os, "fork"), not hasattr(signal, "SIGALRM"), sys.modules.get("fcntl", 0) is None]
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
