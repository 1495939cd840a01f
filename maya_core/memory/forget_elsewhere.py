"""The keepers of what memory does not own: the whiteboard, waiting jobs, and the bytes of the SQLite file."""

from collections.abc import Awaitable, Callable

from maya_core.domain.conversation import UserId
from maya_core.domain.forgetting import Plan
from maya_core.errors import StoreUnavailable
from maya_core.jobs.port import Discardable
from maya_core.memory.holding import Hold
from maya_core.stores.whiteboard.port import Erasable


class WrittenDown:
    """Last turns, dialogue state, live streams and whatever is cached."""

    def __init__(self, whiteboard: Erasable) -> None:
        self._whiteboard = whiteboard

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Erased twice: what the second time still finds was not gone, and is looked for again later."""
        chats = (*plan.conversations, *plan.touched)
        erase = self._whiteboard.erase
        removed = await erase(user_id, conversation_ids=chats, message_ids=plan.messages, everything=plan.everything)
        left = await erase(user_id, conversation_ids=chats, message_ids=plan.messages, everything=plan.everything)
        return removed, left


class Queued:
    """Jobs name ids only; those of what is gone have nothing to do any more. Those named `keep` stay."""

    def __init__(self, queue: Discardable, *, keep: str) -> None:
        self._queue = queue
        self._keep = {keep}

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Taken out of the queue, and looked for again."""
        ids = [*plan.conversations, *plan.batches]
        if not ids:
            return 0, 0
        return await self._queue.discard(ids, keep=self._keep), await self._queue.discard(ids, keep=self._keep)


class Bytes:
    """What deleted words leave in the file. `scour` cleans it; False while it cannot."""

    def __init__(self, scour: Callable[[], Awaitable[bool]]) -> None:
        self._scour = scour

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Nothing is counted; one thing is left while the file could not be cleaned."""
        return 0, 0 if await self._scour() else 1


class OutOfReach:
    """A store that may hold something and cannot be opened: a request waits for it, and says so."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Raises StoreUnavailable."""
        raise StoreUnavailable(self._why)
