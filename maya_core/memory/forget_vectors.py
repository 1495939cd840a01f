"""The keeper of vectors: those of what goes are removed, those that held words of it are made again."""

from collections.abc import Collection, Sequence

from maya_core.domain.conversation import UserId
from maya_core.domain.forgetting import Plan
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.embeddings.port import Embedder
from maya_core.errors import NotFound
from maya_core.failpoint import failpoint
from maya_core.memory.decisions import Text, fact_vector_id, summary_vector_id
from maya_core.memory.episodes import Episodes
from maya_core.memory.history import memory_of
from maya_core.memory.holding import Hold
from maya_core.memory.parts import parts
from maya_core.memory.ranges import read_range
from maya_core.memory.text_vectors import put_texts
from maya_core.stores.batches.port import Batches, BatchId
from maya_core.stores.changes.port import Changes
from maya_core.stores.forgets.port import Forgets
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.vectors.port import Vectors

_AT_ONCE = 1000
_AFTER_A_GAP = 20


class Embedded:
    """Removes vectors. Without `embedder` none are made again."""

    def __init__(
        self,
        *,
        forgets: Forgets,
        transcripts: Transcripts,
        batches: Batches,
        changes: Changes,
        vectors: Vectors,
        embedder: Embedder | None,
        episodes: Episodes | None,
    ) -> None:
        self._forgets = forgets
        self._transcripts = transcripts
        self._batches = batches
        self._changes = changes
        self._vectors = vectors
        self._embedder = embedder
        self._episodes = episodes
        self._model = "" if embedder is None else embedder.model

    async def count(self, user_id: UserId, plan: Plan) -> int:
        """How many vectors stand for what goes. Raises StoreUnavailable."""
        return sum(map(_Gone(plan), await self._refs(user_id)))

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Vectors of what is gone go; those of facts and summaries that changed, and of neighbours, are made again."""
        again = frozenset(await self._due_texts(user_id, plan))
        gone = await self._going(user_id, plan, again)
        for part in parts(gone, _AT_ONCE):
            hold.check()
            await self._vectors.delete(user_id, part)
            failpoint("F7")
        await self._embed_again(hold, user_id, plan)
        return len(gone), len(await self._going(user_id, plan, again))

    async def _going(self, user_id: UserId, plan: Plan, again: Collection[str]) -> list[str]:
        """Ids of stored vectors that have to go. With everything, those that nothing accounts for go as well."""
        is_gone, there = _Gone(plan), await self._refs(user_id)
        strays = await self._strays(user_id, there) if plan.everything else frozenset()
        return [ref.id for ref in there if ref.id in strays or (is_gone(ref) and ref.id not in again)]

    async def _strays(self, user_id: UserId, refs: Sequence[MemoryRef]) -> frozenset[str]:
        """Ids of vectors of messages that are not there, and of texts that follow from nothing that was decided."""
        texts = (await memory_of(user_id, self._batches, self._changes, model=self._model)).texts
        named = dict.fromkeys(id for ref in refs if ref.kind is MemoryKind.EPISODE for id in ref.message_ids)
        there = {
            message.id
            for part in parts(list(named), _AT_ONCE)
            for message in await self._forgets.list_messages(user_id, part)
        }
        return frozenset(
            ref.id
            for ref in refs
            if not (there.issuperset(ref.message_ids) if ref.kind is MemoryKind.EPISODE else ref.id in texts)
        )

    async def _refs(self, user_id: UserId) -> list[MemoryRef]:
        found: list[MemoryRef] = []
        while page := await self._vectors.list_refs(user_id, after=found[-1].id if found else "", limit=_AT_ONCE):
            found += page
        return found

    async def _due_texts(self, user_id: UserId, plan: Plan) -> dict[str, Text]:
        """The texts of facts and summaries that stay in another form, by the id of their vector."""
        memory = await memory_of(user_id, self._batches, self._changes, model=self._model)
        wanted = {fact_vector_id(id, model=self._model) for id in plan.changed_facts}
        wanted |= {summary_vector_id(BatchId(id), model=self._model) for id in plan.resummed}
        return {id: text for id, text in memory.texts.items() if id in wanted}

    async def _embed_again(self, hold: Hold, user_id: UserId, plan: Plan) -> None:
        if self._embedder is None:
            return
        texts = [*(await self._due_texts(user_id, plan)).values()]
        await put_texts(hold, user_id, texts, embedder=self._embedder, vectors=self._vectors)
        await self._embed_neighbours(hold, user_id, plan)

    async def _embed_neighbours(self, hold: Hold, user_id: UserId, plan: Plan) -> None:
        """The vector of a message holds words of those around it: it is made again without what is gone."""
        if self._episodes is None:
            return
        beside = [
            message
            for part in parts(plan.neighbours, _AT_ONCE)
            for message in await self._forgets.list_messages(user_id, part)
        ]
        for chat in sorted({message.conversation_id for message in beside}):
            try:
                embedded = (await self._batches.progress(user_id, chat)).embedded
                for seq in sorted(m.seq for m in beside if m.conversation_id == chat and m.seq <= embedded):
                    last = min(seq + _AFTER_A_GAP, embedded)
                    hold.check()
                    said = await read_range(self._transcripts, user_id, chat, seq, last)
                    await self._episodes.index(user_id, chat, said)
            except NotFound:  # hidden or erased meanwhile
                continue


class _Gone:
    """Whether a vector stands for something that goes."""

    def __init__(self, plan: Plan) -> None:
        self._conversations = frozenset(plan.conversations)
        self._vectors = frozenset(plan.vectors)
        self._messages = frozenset(plan.messages)

    def __call__(self, ref: MemoryRef) -> bool:
        if ref.conversation_id in self._conversations or ref.id in self._vectors:
            return True
        return ref.kind is MemoryKind.EPISODE and not self._messages.isdisjoint(ref.message_ids)
