"""Summaries that come with a file, kept as batches of their own, so that nobody reads those messages again."""

from collections.abc import Sequence

from maya_core.clock import Clock
from maya_core.domain.conversation import ConversationId, ConversationKind, UserId
from maya_core.embeddings.port import Embedder
from maya_core.memory import decisions, reading
from maya_core.memory.changes import MemoryChanges
from maya_core.memory.decisions import Decisions
from maya_core.memory.holding import Hold
from maya_core.memory.portable import IMPORT, PortableChat
from maya_core.memory.ranges import read_range
from maya_core.stores.batches.port import Batches, BatchState, NewBatch
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.vectors.port import VectorItem, Vectors


class BroughtSummaries:
    """Puts a chat's summaries through the states of a batch; without an embedder they are found by words only."""

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        batches: Batches,
        changes: MemoryChanges,
        embedder: Embedder | None,
        vectors: Vectors | None,
        clock: Clock,
    ) -> None:
        self._transcripts = transcripts
        self._batches = batches
        self._changes = changes
        self._embedder = embedder
        self._vectors = vectors
        self._clock = clock

    async def keep(self, user_id: UserId, chat: PortableChat, id: ConversationId) -> None:
        """Keep those of one chat that has just come in; what is kept already stays as it is."""
        if chat.kind is ConversationKind.OFF_RECORD or not chat.summaries:
            return
        async with self._changes.held(user_id) as hold:
            for summary in sorted(chat.summaries, key=lambda each: each.last_seq):
                progress = await self._batches.progress(user_id, id)
                if progress.consolidated < summary.last_seq <= progress.said:
                    new = NewBatch(
                        conversation_id=id,
                        from_seq=progress.consolidated + 1,
                        to_seq=summary.last_seq,
                        version=IMPORT,
                    )
                    await self._keep(hold, user_id, new, summary.text)

    async def _keep(self, hold: Hold, user_id: UserId, new: NewBatch, text: str) -> None:
        """One batch through its states; each is stored before the next store is touched, as in consolidation."""
        now = self._clock.now()
        messages = await read_range(self._transcripts, user_id, new.conversation_id, new.from_seq, new.to_seq)
        batch = await self._batches.plan(hold.lease, user_id, new, at=now)
        if batch.state is BatchState.PLANNED:
            output = reading.only_summary(text)
            batch = await self._batches.extracted(
                hold.lease, batch, output=output, extractor=IMPORT, offline=False, at=now
            )
        if batch.state is BatchState.EXTRACTED:
            decided = Decisions(stretch=reading.stretch_of(batch, messages), summary=text, entities=(), facts=())
            batch = await self._batches.decided(hold.lease, batch, decisions=decisions.to_bytes(decided), at=now)
        if batch.state is BatchState.DECIDED:
            await self._embed(
                hold, user_id, decisions.texts(batch, decisions.from_bytes(batch.decisions or b""), model=self._model)
            )
            batch = await self._batches.advance(hold.lease, batch, BatchState.VECTORS, at=now)
        if batch.state is BatchState.VECTORS:
            batch = await self._batches.advance(hold.lease, batch, BatchState.GRAPH, at=now)
        if batch.state is BatchState.GRAPH:
            await self._batches.commit(hold.lease, batch, at=now)

    @property
    def _model(self) -> str:
        return "" if self._embedder is None else self._embedder.model

    async def _embed(self, hold: Hold, user_id: UserId, texts: Sequence[decisions.Text]) -> None:
        if self._embedder is None or self._vectors is None or not texts:
            return
        rows = await self._embedder.embed_texts([text.text for text in texts])
        hold.check()
        await self._vectors.put(
            user_id, [VectorItem(ref=text.ref, vector=row) for text, row in zip(texts, rows, strict=True)]
        )
