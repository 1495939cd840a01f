"""Every job, and the list of names that a queue may ask for. Jobs carry ids only and can be repeated."""

from collections.abc import Mapping

from maya_core.container import Container
from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.forgetting import RequestId
from maya_core.jobs.port import JobTable
from maya_core.memory.forget import FORGET
from maya_core.memory.sweep import CONSOLIDATE, EMBED, FINISH_CHANGES, REDO
from maya_core.stores.batches.port import BatchId


async def embed(container: Container, ids: Mapping[str, str]) -> None:
    """Make what was said in a conversation since the last time findable by meaning."""
    if container.memory.indexing is not None:
        await container.memory.indexing.run(UserId(ids["user_id"]), ConversationId(ids["conversation_id"]))


async def consolidate(container: Container, ids: Mapping[str, str]) -> None:
    """Summarise what waits in a conversation and keep its facts; do what Maya is sure enough of without asking."""
    await container.memory.consolidation.run(UserId(ids["user_id"]), ConversationId(ids["conversation_id"]))
    await container.memory.review.settle(UserId(ids["user_id"]))


async def redo(container: Container, ids: Mapping[str, str]) -> None:
    """Read a range again that was read without a model, or that could not be read."""
    await container.memory.consolidation.redo(UserId(ids["user_id"]), BatchId(ids["batch_id"]))


async def finish_changes(container: Container, ids: Mapping[str, str]) -> None:
    """Bring a person's changes to vectors and graph that were cut short."""
    await container.memory.changes.finish(UserId(ids["user_id"]))


async def forget(container: Container, ids: Mapping[str, str]) -> None:
    """Do what is left of a request to forget something."""
    await container.memory.forgetting.run(UserId(ids["user_id"]), RequestId(ids["request_id"]))


TABLE: JobTable = {EMBED: embed, CONSOLIDATE: consolidate, REDO: redo, FINISH_CHANGES: finish_changes, FORGET: forget}
