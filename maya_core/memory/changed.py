"""What has changed in a memory lately: what was learnt, what took the place of something, what ended, what went.

Put together from facts, from what was decided about the chats of these days, and from what the person did. Nothing of
what was forgotten is in it but that something was.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from maya_core.accounts.access import Action, User, require
from maya_core.clock import Clock
from maya_core.domain.changes import ChangeId, ChangeKind
from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.domain.memory import Fact, FactId, FactOrder, FactQuery
from maya_core.memory import decisions
from maya_core.memory.changes import MemoryChanges, Past
from maya_core.memory.explorer import Explorer, KnownFact
from maya_core.stores.batches.port import Batch, Batches, BatchState
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Conversations

DAYS = 7
_FACTS_AT_MOST = 500
_CHATS_AT_MOST = 60
_CHANGES_AT_MOST = 100
_LINES_AT_MOST = 20


class News(StrEnum):
    """What happened to a fact. FORGOTTEN is told without the fact."""

    LEARNT = "learnt"
    REPLACED = "replaced"
    ENDED = "ended"
    TAKEN_BACK = "taken_back"
    YOURS = "yours"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that happened. `because` says why, "" where nobody said; `by` is what took a fact's place.

    `undo` is the change that can be taken back, on the first line of each.
    """

    news: News
    sentence: str
    at: datetime
    because: str = ""
    by: str = ""
    fact_id: FactId | None = None
    message_id: MessageId | None = None
    speaker: str = ""
    undo: ChangeId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The last days, newest first. `cut` tells that there was more than is shown."""

    since: datetime
    items: tuple[Item, ...]
    cut: bool

    def count(self, news: News) -> int:
        """How often this happened."""
        return sum(item.news is news for item in self.items)


class WhatChanged:
    """Looks back over a person's last days."""

    def __init__(
        self,
        *,
        transcripts: Conversations,
        batches: Batches,
        graph: Graph,
        explorer: Explorer,
        changes: MemoryChanges,
        clock: Clock,
    ) -> None:
        self._transcripts = transcripts
        self._batches = batches
        self._graph = graph
        self._explorer = explorer
        self._changes = changes
        self._clock = clock

    async def lately(self, user: User, *, days: int = DAYS) -> Week:
        """The last days, at most 500 facts and 100 changes of the person. Raises StoreUnavailable."""
        require(user, Action.READ_OWN_CHATS)
        since = self._clock.now() - timedelta(days=days)
        recorded, moved, past = await asyncio.gather(
            self._recorded(user.id, since), self._moved(user.id, since), self._changes.history(user.id, limit=100)
        )
        known = {fact.fact.id: fact for fact in await self._known(user.id, [*recorded, *moved])}
        done = [change for change in past if change.change.made_at >= since]
        items = [
            *(_learnt(known[fact.id]) for fact in recorded if fact.id in known),
            *(_moved(known[id], known, at) for id, at in moved.items() if id in known and _is_over(known[id].fact)),
            *(item for change in done for item in _done(change)),
        ]
        items.sort(key=lambda item: item.at, reverse=True)
        cut = len(recorded) == _FACTS_AT_MOST or len(done) == _CHANGES_AT_MOST
        return Week(since=since, items=tuple(items), cut=cut)

    async def _recorded(self, user_id: UserId, since: datetime) -> list[Fact]:
        """Facts that were recorded since then, also those that are over by now; the newest first."""
        query = FactQuery(current=False, order=FactOrder.RECORDED)
        page = await self._graph.list_facts(user_id, query, limit=_FACTS_AT_MOST)
        return [fact for fact in page.facts if fact.recorded_at >= since]

    async def _moved(self, user_id: UserId, since: datetime) -> dict[FactId, datetime]:
        """Facts that batches of these days have changed, with the moment."""
        chats = await self._chats(user_id, since)
        found = await asyncio.gather(
            *(
                self._batches.list_batches(user_id, conversation_id=chat, states={BatchState.COMMITTED})
                for chat in chats
            )
        )
        lately = [batch for batches in found for batch in batches if batch.changed_at >= since]
        return await asyncio.to_thread(_changed_facts, lately)

    async def _chats(self, user_id: UserId, since: datetime) -> list[ConversationId]:
        """Chats in which something was said a little before these days or since: reading them takes a while."""
        early = since - timedelta(days=1)
        pages = await asyncio.gather(
            *(
                self._transcripts.list_conversations(user_id, archived=archived, limit=_CHATS_AT_MOST)
                for archived in (False, True)
            )
        )
        return [chat.id for page in pages for chat in page if chat.last_message_at >= early]

    async def _known(self, user_id: UserId, facts: Iterable[Fact | FactId]) -> list[KnownFact]:
        ids = list(dict.fromkeys(fact.id if isinstance(fact, Fact) else fact for fact in facts))
        here = await self._graph.get_facts(user_id, ids[:1000]) if ids else []
        later = [f.superseded_by for f in here if f.superseded_by is not None and f.superseded_by not in ids]
        here += await self._graph.get_facts(user_id, later[:1000]) if later else []
        return await self._explorer.known(user_id, here)


def _changed_facts(batches: Sequence[Batch]) -> dict[FactId, datetime]:
    """Facts that a batch has changed and another one had brought."""
    found: dict[FactId, datetime] = {}
    for batch in batches:
        decided = decisions.from_bytes(batch.decisions) if batch.decisions is not None else None
        for each in () if decided is None else decided.facts:
            if each.fact.superseded_by or each.fact.valid_to or each.fact.retracted_at:
                found[each.fact.id] = max(batch.changed_at, found.get(each.fact.id, batch.changed_at))
    return found


def _is_over(fact: Fact) -> bool:
    return bool(fact.superseded_by or fact.valid_to or fact.retracted_at)


def _learnt(known: KnownFact) -> Item:
    fact = known.fact
    return Item(
        news=News.LEARNT,
        sentence=known.sentence,
        at=fact.recorded_at,
        fact_id=fact.id,
        message_id=next(iter(fact.evidence), None),
        speaker=fact.speaker,
    )


def _moved(known: KnownFact, others: dict[FactId, KnownFact], at: datetime) -> Item:
    fact = known.fact
    later = None if fact.superseded_by is None else others.get(fact.superseded_by)
    if fact.superseded_by is not None:
        news, because = News.REPLACED, "something newer was said"
    elif fact.retracted_at is not None:
        news, because = News.TAKEN_BACK, "it was said not to be so"
    else:
        news, because = News.ENDED, "it was said to be over"
    return Item(
        news=news,
        sentence=known.sentence,
        at=at,
        because=because,
        by="" if later is None else later.sentence,
        fact_id=fact.id,
        message_id=next(iter(fact.evidence), None),
        speaker=fact.speaker,
    )


def _done(past: Past) -> list[Item]:
    """What the person did, in sentences; of forgetting only that it was done."""
    change = past.change
    if change.kind is ChangeKind.FORGET:
        return [Item(news=News.FORGOTTEN, sentence="Something was forgotten, as you asked.", at=change.made_at)]
    because = change.note + (" (undone)" if past.undone else "")
    undo = change.id if past.undoable else None
    return [
        Item(
            news=News.YOURS,
            sentence=line.text,
            at=change.made_at,
            because=because,
            undo=undo if number == 0 else None,
        )
        for number, line in enumerate(past.lines[:_LINES_AT_MOST])
    ]
