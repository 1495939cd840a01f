"""Who counts the messages of a year: the MongoDB server, and where it cannot, this process within a bound."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from pymongo.errors import OperationFailure

from maya_core.stores.usage import mongo

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAID = [{"said_at": NOON + timedelta(hours=8 * n), "user_id": "ann" if n % 2 else "ben"} for n in range(6)]


class Cursor:
    """Documents one by one, ordered and bounded as a server would."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.documents = documents

    def sort(self, name: str, direction: int) -> Self:
        self.documents = sorted(self.documents, key=lambda each: each[name], reverse=direction < 0)
        return self

    def limit(self, most: int) -> Self:
        self.documents = self.documents[:most]
        return self

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for document in self.documents:
            yield document


class Messages:
    """A collection whose server counts by day, or answers a pipeline with an error of this code."""

    def __init__(self, *, refuses: int | None = None) -> None:
        self.refuses = refuses
        self.fetched = 0

    async def aggregate(self, pipeline: list[dict[str, Any]]) -> Cursor:
        if self.refuses is not None:
            raise OperationFailure("no", self.refuses)
        assert [next(iter(stage)) for stage in pipeline] == ["$match", "$group", "$group"]
        return Cursor([{"_id": "2026-03-01", "count": 2, "people": 2}, {"_id": "2026-03-02", "count": 3, "people": 2}])

    def find(self, wanted: dict[str, Any], fields: dict[str, int]) -> Cursor:
        self.fetched += 1
        return Cursor(list(SAID))


async def counted(messages: Messages) -> dict[datetime, tuple[int, int]]:
    return await mongo.by_day(messages, {}, "said_at")  # type: ignore[arg-type]  # as much of one as is asked


async def test_a_server_that_can_counts_and_no_message_is_fetched() -> None:
    messages = Messages()
    midnight = NOON.replace(hour=0)
    assert await counted(messages) == {midnight: (2, 2), midnight + timedelta(days=1): (3, 2)}
    assert messages.fetched == 0


async def test_a_server_that_cannot_has_the_newest_messages_counted_here(monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = NOON.replace(hour=0)
    by_day = {midnight: (2, 2), midnight + timedelta(days=1): (3, 2), midnight + timedelta(days=2): (1, 1)}
    assert await counted(Messages(refuses=238)) == by_day
    monkeypatch.setattr(mongo, "_COUNTED_HERE", 3)
    assert await counted(Messages(refuses=238)) == {
        midnight + timedelta(days=2): (1, 1),
        midnight + timedelta(days=1): (2, 2),
    }


async def test_any_other_error_is_no_reason_to_count_here() -> None:
    messages = Messages(refuses=13)
    with pytest.raises(OperationFailure):
        await counted(messages)
    assert messages.fetched == 0
