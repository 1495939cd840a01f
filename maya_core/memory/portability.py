"""A memory to take along, and one that is brought: chats word for word, their summaries, and facts with evidence.

Records are known by what they say, not by their ids, so bringing a file twice, or into the account that it came from,
changes nothing. Chats come in whole through the transcripts, facts as changes of the person's, so both are rebuilt with
everything else. What a file says stays marked as imported, and what was forgotten is not brought back as a fact.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from maya_core.accounts.access import Action, User, require
from maya_core.clock import Clock
from maya_core.domain.changes import ChangeId
from maya_core.domain.conversation import Conversation
from maya_core.domain.memory import Entity, Fact
from maya_core.embeddings.port import Embedder
from maya_core.errors import InvalidInput
from maya_core.memory import portable
from maya_core.memory.belongings import Belongings, parts
from maya_core.memory.brought_summaries import BroughtSummaries
from maya_core.memory.changes import MemoryChanges
from maya_core.memory.fact_sentences import fact_sentence
from maya_core.memory.import_plan import Planner, Preview
from maya_core.memory.portable import PortableChat, PortableEntity
from maya_core.memory.portable_records import copy_of, portable_chat, portable_fact
from maya_core.memory.summaries import Summaries
from maya_core.stores.batches.port import Batches
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Copies, Transcripts
from maya_core.stores.vectors.port import Vectors

_BROUGHT_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a long work is."""

    what: str
    done: int
    of: int


Report = Callable[[Step], None]
"""Told each step; called from the loop, so it must be quick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A memory as files: JSON to keep or to bring elsewhere, Markdown to read."""

    json: bytes
    markdown: str
    chats: int
    messages: int
    facts: int


class Portability:
    """Exports and imports one person's memory. Without `copies` chats cannot be brought, and nothing is."""

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        copies: Copies | None,
        batches: Batches,
        summaries: Summaries,
        changes: MemoryChanges,
        rows: Changes,
        graph: Graph,
        embedder: Embedder | None,
        vectors: Vectors | None,
        clock: Clock,
    ) -> None:
        self._belongings = Belongings(transcripts=transcripts, graph=graph)
        self._planner = Planner(belongings=self._belongings, graph=graph, rows=rows)
        self._brought = BroughtSummaries(
            transcripts=transcripts, batches=batches, changes=changes, embedder=embedder, vectors=vectors, clock=clock
        )
        self._copies = copies
        self._summaries = summaries
        self._changes = changes
        self._clock = clock

    async def export(self, user: User) -> Export:
        """Every chat as it is shown, every fact, current or not, with speaker, dates and evidence."""
        require(user, Action.EXPORT_OWN_CHATS)
        chats = [await self._portable_chat(user, chat) async for chat in self._belongings.conversations(user.id)]
        chats = [chat for chat in chats if chat.messages]
        facts = await self._belongings.all_facts(user.id)
        entities = await self._belongings.entities(
            user.id, {end for fact in facts for end in (fact.subject, fact.object)}
        )
        return await asyncio.to_thread(_export, self._clock.now(), chats, entities, facts)

    async def preview(self, user: User, data: bytes) -> Preview:
        """What importing a file would do; nothing is written. Raises InvalidInput with a sentence for the person."""
        require(user, Action.CHANGE_OWN_CHATS)
        return (await self._planner.plan(user.id, data)).preview

    async def bring(self, user: User, data: bytes, *, report: Report | None = None) -> Preview:
        """Take a file in; what was new. Stopped half-way, it goes on where it was when it is brought again.

        Raises InvalidInput before anything is written, Conflict while a worker is busy with the memory for long, and
        StoreUnavailable. New chats are found by words at once, and by meaning when a worker has embedded them.
        """
        require(user, Action.CHANGE_OWN_CHATS)
        if self._copies is None:
            raise InvalidInput("Chats cannot be brought into this store.")
        plan, tell = await self._planner.plan(user.id, data), report or _say_nothing
        for number, (chat, id) in enumerate(plan.chats, start=1):
            await self._copies.put_copy(user.id, *copy_of(user.id, chat, id, plan.messages))
            await self._brought.keep(user.id, chat, id)
            tell(Step(what="chats", done=number, of=len(plan.chats)))
        done = 0
        for part in parts(plan.facts, _BROUGHT_AT_ONCE):
            ends = dict.fromkeys(end for fact in part for end in (fact.subject, fact.object))
            change_id = ChangeId("import-" + portable.digest(user.id, *(fact.id for fact in part)))
            entities = [plan.entities[end] for end in ends]
            await self._changes.bring(user.id, change_id, entities=entities, facts=part)
            done += len(part)
            tell(Step(what="facts", done=done, of=len(plan.facts)))
        return plan.preview

    async def _portable_chat(self, user: User, chat: Conversation) -> PortableChat:
        said = await self._belongings.said(user.id, chat.id)
        summed = (await self._summaries.of_chat(user, chat.id)).parts
        return portable_chat(chat, said, [(p.first_seq, p.last_seq, p.text, p.extractor) for p in summed])


def _export(now: datetime, chats: Sequence[PortableChat], entities: Sequence[Entity], facts: Sequence[Fact]) -> Export:
    known = {entity.id: entity for entity in entities}
    content = portable.to_json(
        exported_at=now,
        chats=chats,
        entities=[PortableEntity(id=e.id, name=e.name, kind=e.kind, aliases=e.aliases) for e in entities],
        facts=[portable_fact(fact, fact_sentence(fact, known)) for fact in facts],
    )
    return Export(
        json=content,
        markdown=portable.to_markdown(exported_at=now, chats=chats, entities=entities, facts=facts),
        chats=len(chats),
        messages=sum(len(chat.messages) for chat in chats),
        facts=len(facts),
    )


def _say_nothing(_: Step) -> None:
    return
