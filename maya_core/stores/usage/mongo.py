"""The usage port in MongoDB: counts are added by the server, each row to each sum exactly once.

A sum knows the last accounts that were entered in it, so that an append which was not confirmed can be repeated.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from maya_core.domain.conversation import UserId
from maya_core.domain.usage import Activity, Grain, LedgerRow, Pot, PotState, UsageSum, begin_of, sum_of
from maya_core.errors import Conflict, StoreUnavailable
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase
from maya_core.stores.transcripts.rows import bounded, known_id, to_ms
from maya_core.stores.usage.port import ROWS_AT_MOST, SUMS_AT_MOST
from maya_core.stores.usage.rows import (
    COUNTED,
    counts_of,
    pot_of,
    pot_to_json,
    row_to_stored,
    stored_to_row,
    stored_to_sum,
)

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

T = TypeVar("T")

_OF_ALL = "all-"
_NAMES = ("grain", "begins_at", "user_id", "provider", "model", "purpose")
_ENTERED_KNOWN = 2_000
_TRIES = 200
_GOOD, _BAD = r'"good": ?true', r'"good": ?false'
_NOT_IMPLEMENTED = 238
_COUNTED_HERE = 20_000


class MongoUsage:
    """The `Usage` port over one MongoDB database. The connection is that of the transcripts, which close it."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._ledger = database.ledger
        self._sums = database.usage_sums
        self._pots = database.usage_pots

    @classmethod
    async def open(cls, database: MongoDatabase, *, index_timeout_s: float = 60.0) -> Self:
        """Make the indexes that are missing and give the store."""
        store = cls(database)
        async with database.bounded(index_timeout_s):
            await store._ledger.create_index([("user_id", 1), ("at", -1)])
            await store._ledger.create_index([("at", 1)])
            await store._sums.create_index([(name, 1) for name in _NAMES], unique=True)
            await store._sums.create_index([("user_id", 1), ("grain", 1), ("begins_at", 1)])
            await database.messages.create_index([("said_at", 1), ("role", 1), ("user_id", 1)])
        return store

    async def append(self, rows: Sequence[LedgerRow]) -> None:
        """Row by row: each is entered in its four sums before it is stored itself."""
        async with self._database.bounded():
            for row in rows:
                stored = row_to_stored(row)
                if await self._ledger.find_one({"_id": stored["id"]}, {"_id": 1}) is not None:
                    continue
                for grain in Grain:
                    one = sum_of(row, grain)
                    await self._enter(grain.value, one.user_id, one, row.id)
                    await self._enter(_OF_ALL + grain.value, "", one, row.id)
                await self._ledger.replace_one(
                    {"_id": stored["id"]}, {k: v for k, v in stored.items() if k != "id"}, upsert=True
                )

    async def list_rows(
        self, user_id: UserId, *, since: datetime, until: datetime, limit: int = 1000
    ) -> list[LedgerRow]:
        wanted = {"user_id": known_id(user_id), "at": {"$gte": to_ms(since), "$lt": to_ms(until)}}
        async with self._database.bounded():
            found = self._ledger.find(wanted).sort([("at", -1), ("_id", 1)]).limit(bounded(limit, most=ROWS_AT_MOST))
            return [stored_to_row({**document, "id": document["_id"]}) async for document in found]

    async def sums(self, user_id: UserId, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        return await self._read_sums({"user_id": known_id(user_id), "grain": grain.value}, since, until)

    async def sums_of_all(self, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        return await self._read_sums({"grain": _OF_ALL + grain.value}, since, until)

    async def by_person(self, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        span = {"grain": grain.value, "begins_at": {"$gte": to_ms(since), "$lt": to_ms(until)}}
        fields = ("user_id", "failures", *COUNTED)
        totals: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        async with self._database.bounded():
            async for document in self._sums.find(span, dict.fromkeys(fields, 1)).limit(SUMS_AT_MOST):
                for name in fields[1:]:
                    totals[document["user_id"]][name] += document[name]
        nameless = {"provider": "", "model": "", "purpose": "chat", "begins_at": to_ms(since)}
        sums = [
            stored_to_sum(
                {**nameless, **figures, "user_id": user},
                {"failed": {"failed": figures["failures"]} if figures["failures"] else {}},
            )
            for user, figures in totals.items()
        ]
        return sorted(sums, key=lambda each: (-each.calls, each.user_id))[:500]

    async def activity(self, user_id: UserId, *, since: datetime, until: datetime) -> list[Activity]:
        return await self._activity({"user_id": known_id(user_id)}, since, until)

    async def activity_of_all(self, *, since: datetime, until: datetime) -> list[Activity]:
        return await self._activity({}, since, until)

    async def people(self, *, since: datetime, until: datetime) -> int:
        async with self._database.bounded():
            wrote = {"role": "user", "said_at": {"$gte": since, "$lt": until}}
            return len(await self._database.messages.distinct("user_id", wrote))

    async def find_pot(self, pot: Pot) -> PotState | None:
        async with self._database.bounded():
            document = await self._pots.find_one({"_id": _pot_id(pot)})
        return None if document is None else pot_of(document["used"], document["state"])

    async def change_pot(self, pot: Pot, change: Callable[[PotState], tuple[PotState, T]], *, opening: int = 0) -> T:
        async with self._database.bounded():
            for _ in range(_TRIES):
                document = await self._pots.find_one({"_id": _pot_id(pot)})
                before = None if document is None else pot_of(document["used"], document["state"])
                after, result = change(before or PotState(used=opening))
                if after == before or await self._swap(pot, document, after):
                    return result
                await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - spreads those who wait, keeps no secret
        raise StoreUnavailable(f"the allowance {pot.name!r} is changed by too many at once")

    async def prune(self, *, rows_before: datetime, hours_before: datetime, months_before: str) -> None:
        hours = [Grain.HOUR.value, _OF_ALL + Grain.HOUR.value]
        async with self._database.bounded():
            await self._ledger.delete_many({"at": {"$lt": to_ms(rows_before)}})
            await self._sums.delete_many({"grain": {"$in": hours}, "begins_at": {"$lt": to_ms(hours_before)}})
            await self._pots.delete_many({"month": {"$lt": months_before}})

    async def delete_user(self, user_id: UserId) -> None:
        user = known_id(user_id)
        async with self._database.bounded():
            await self._ledger.update_many({"user_id": user}, {"$set": {"user_id": ""}})
            async for document in self._sums.find({"user_id": user}):
                moved = f"moved:{document['_id']}"
                await self._enter(document["grain"], "", _to_sum(document), moved)
                await self._sums.delete_one({"_id": document["_id"]})
            await self._pots.delete_many({"name": f"money-of:{user}"})

    async def _enter(self, grain: str, user_id: str, one: UsageSum, entry: str) -> None:
        """Add to a sum unless this entry was added before."""
        name = dict(
            zip(
                _NAMES,
                (grain, to_ms(one.begins_at), user_id, one.provider, one.model, one.purpose.value),
                strict=True,
            )
        )
        counts: Document = {each: getattr(one, each) for each in COUNTED} | {"failures": sum(one.failed.values())}
        for part, entries in counts_of(one).items():
            counts |= {f"{part}.{key}": count for key, count in entries.items()}
        change: Document = {
            "$inc": counts,
            "$push": {"entered": {"$each": [entry], "$slice": -_ENTERED_KNOWN}},
        }
        for upsert in (True, False):
            try:
                await self._one_sum(name, entry, change, upsert=upsert)
                return
            except Conflict:  # it is there: with this entry, or made by another at this moment
                continue

    async def _one_sum(self, name: Document, entry: str, change: Document, *, upsert: bool) -> None:
        from pymongo.errors import DuplicateKeyError

        try:
            await self._sums.update_one({**name, "entered": {"$ne": entry}}, change, upsert=upsert)
        except DuplicateKeyError as taken:
            raise Conflict("the sum is there") from taken

    async def _read_sums(self, wanted: Document, since: datetime, until: datetime) -> list[UsageSum]:
        span = {"begins_at": {"$gte": to_ms(since), "$lt": to_ms(until)}}
        async with self._database.bounded():
            found = self._sums.find({**wanted, **span}, {"entered": 0})
            ordered = found.sort([("begins_at", 1), ("provider", 1), ("model", 1), ("purpose", 1)]).limit(SUMS_AT_MOST)
            return [_to_sum(document) async for document in ordered]

    async def _activity(self, own: Document, since: datetime, until: datetime) -> list[Activity]:
        said, begun = {**own, "said_at": {"$gte": since, "$lt": until}}, {"created_at": {"$gte": since, "$lt": until}}
        messages, conversations = self._database.messages, self._database.conversations
        days: dict[datetime, dict[str, int]] = defaultdict(dict)
        async with self._database.bounded():
            for day, (count, people) in (await by_day(messages, {**said, "role": "user"}, "said_at")).items():
                days[day] |= {"messages": count, "people": people}
            for liking, pattern in (("good", _GOOD), ("bad", _BAD)):
                liked = await by_day(messages, {**said, "feedback": {"$regex": pattern}}, "said_at")
                for day, (count, _) in liked.items():
                    days[day][liking] = count
            chats = await by_day(conversations, {**own, **begun, "deleted_at": None}, "created_at")
            for day, (count, _) in chats.items():
                days[day]["chats"] = count
        return [Activity(day=day, **figures) for day, figures in sorted(days.items())]

    async def _swap(self, pot: Pot, known: Mapping[str, Any] | None, after: PotState) -> bool:
        """Store the state unless somebody changed it meanwhile."""
        from pymongo.errors import DuplicateKeyError

        stored = {"used": after.used, "state": pot_to_json(after), "month": pot.month, "name": pot.name}
        if known is None:
            try:
                await self._pots.insert_one({"_id": _pot_id(pot), "version": 1, **stored})
            except DuplicateKeyError:
                return False
            return True
        unchanged = {"_id": _pot_id(pot), "version": known["version"]}
        result = await self._pots.replace_one(unchanged, {"version": known["version"] + 1, **stored})
        return result.matched_count == 1


async def by_day(collection: "AsyncCollection[Document]", wanted: Document, at: str) -> dict[datetime, tuple[int, int]]:
    """How many of these documents there are of each day (UTC), by the time in field `at`, and of how many users.

    The server counts. One that cannot tell the day of a time has its newest 20,000 counted here.
    """
    from pymongo.errors import OperationFailure

    day = {"$dateToString": {"format": "%Y-%m-%d", "date": f"${at}"}}
    of_user = {"_id": {"day": day, "user": "$user_id"}, "count": {"$sum": 1}}
    of_all = {"_id": "$_id.day", "count": {"$sum": "$count"}, "people": {"$sum": 1}}
    try:
        found = await collection.aggregate([{"$match": wanted}, {"$group": of_user}, {"$group": of_all}])
        return {_day(each["_id"]): (each["count"], each["people"]) async for each in found}
    except OperationFailure as refused:
        if refused.code != _NOT_IMPLEMENTED:
            raise
    counts: dict[datetime, list[str]] = defaultdict(list)
    async for each in collection.find(wanted, {at: 1, "user_id": 1}).sort(at, -1).limit(_COUNTED_HERE):
        counts[begin_of(each[at], Grain.DAY)].append(each["user_id"])
    return {day: (len(users), len(set(users))) for day, users in counts.items()}


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _to_sum(document: Mapping[str, Any]) -> UsageSum:
    return stored_to_sum(document, document)


def _pot_id(pot: Pot) -> str:
    return f"{pot.month}/{pot.name}"
