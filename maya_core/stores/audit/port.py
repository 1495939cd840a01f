"""The audit port: an append-only table of what people did with powers that reach beyond their own data.

It lives in the transcripts' database. There is no verb that changes or removes a row. Rows hold ids and names from the
settings, never what somebody wrote.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maya_core.domain.conversation import UserId

DETAIL_CHARACTERS = 500


class Deed(StrEnum):
    """What was done. A name is never given to something else."""

    ISOLATE = "isolate"
    RESET = "reset"
    OBSERVE_ONLY = "observe_only"
    TEST_CALL = "test_call"
    ARRANGE = "arrange"
    ARRANGEMENT_ENDED = "arrangement_ended"
    DRILL = "drill"
    DRILL_ENDED = "drill_ended"
    REPLAY = "replay"
    CYPHER = "cypher"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One row: who did what to what, and when. `detail` says how, in at most 500 characters."""

    id: str
    at: datetime
    user_id: UserId
    deed: Deed
    target: str
    detail: str = ""


class Audit(Protocol):
    """Appends and reads; nothing else. A dead backend raises StoreUnavailable within its timeout."""

    async def append(self, user_id: UserId, entry: AuditEntry) -> None:
        """Add a row of this user. The same id again adds nothing. Raises InvalidInput for an entry of another user."""
        ...

    async def list_own(self, user_id: UserId, *, limit: int = 50) -> list[AuditEntry]:
        """What this user did, newest first, at most `limit` (1 to 500)."""
        ...

    async def list_all(self, *, before: datetime | None = None, limit: int = 50) -> list[AuditEntry]:
        """What everybody did, newest first, at most `limit` (1 to 500), before that moment. Only for admins to see."""
        ...
