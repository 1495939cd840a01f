"""Writing a decided batch to vectors and graph, where its decisions were stored before. Each step can be repeated."""

import asyncio

from maya_core.embeddings.port import Embedder
from maya_core.errors import Conflict
from maya_core.memory import decisions
from maya_core.memory.history import all_batches, all_changes
from maya_core.memory.holding import Hold
from maya_core.memory.text_vectors import put_texts
from maya_core.stores.batches.port import Batch, Batches, BatchState, LeaseLost
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.vectors.port import Vectors


class Writing:
    """Writes batches under the lease of their user. A store that is None is left out."""

    def __init__(
        self,
        *,
        batches: Batches,
        changes: Changes,
        embedder: Embedder | None,
        vectors: Vectors | None,
        graph: Graph | None,
    ) -> None:
        self._batches = batches
        self._changes = changes
        self._embedder = embedder
        self._vectors = vectors
        self._graph = graph

    async def write_vectors(self, hold: Hold, batch: Batch) -> None:
        """The vectors of its summary and of the facts that it brought.

        Raises LeaseLost, StoreUnavailable and ProviderError.
        """
        if self._embedder is None or self._vectors is None:
            return
        decided = await asyncio.to_thread(decisions.from_bytes, batch.decisions or b"")
        texts = decisions.texts(batch, decided, model=self._embedder.model)
        await put_texts(hold, batch.user_id, texts, embedder=self._embedder, vectors=self._vectors)

    async def write_graph(self, hold: Hold, batch: Batch) -> None:
        """Its entities and facts; for one that replaces another, what differs. Raises LeaseLost, StoreUnavailable."""
        try:
            if batch.replaces is not None:
                await self._exchange(hold, batch)
            else:
                await self._add(hold, batch)
        except Conflict as refused:
            raise LeaseLost("the graph has been written to under a later lease") from refused

    async def _add(self, hold: Hold, batch: Batch) -> None:
        if self._graph is None:
            return
        decided = await asyncio.to_thread(decisions.from_bytes, batch.decisions or b"")
        hold.check()
        facts = [each.fact for each in decided.facts]
        await self._graph.put(batch.user_id, entities=decided.entities, facts=facts, fence=hold.lease.epoch)

    async def _exchange(self, hold: Hold, batch: Batch) -> None:
        """Bring both stores from what was decided with the replaced batch to what is decided without it."""
        model = "" if self._embedder is None else self._embedder.model
        committed = await all_batches(self._batches, batch.user_id, states={BatchState.COMMITTED})
        others = [each for each in committed if each.id != batch.replaces]
        changes = await all_changes(self._changes, batch.user_id)
        before = await asyncio.to_thread(decisions.replay, committed, changes, model=model)
        after = await asyncio.to_thread(decisions.replay, [*others, batch], changes, model=model)
        hold.check()
        if self._graph is not None:
            await self._graph.put(
                batch.user_id,
                entities=[e for e in after.entities.values() if before.entities.get(e.id) != e],
                facts=[f for f in after.facts.values() if before.facts.get(f.id) != f],
                fence=hold.lease.epoch,
            )
            await self._graph.delete(
                batch.user_id,
                facts=[id for id in before.facts if id not in after.facts],
                entities=[id for id in before.entities if id not in after.entities],
                fence=hold.lease.epoch,
            )
        if self._vectors is not None:
            await self._vectors.delete(batch.user_id, [id for id in before.texts if id not in after.texts])
