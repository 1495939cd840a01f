"""Writing recorded changes to vectors and graph, where their row was stored before. Each step can be repeated."""

from maya_core.domain.changes import Change, ChangeState
from maya_core.domain.conversation import UserId
from maya_core.embeddings.port import Embedder
from maya_core.errors import Conflict
from maya_core.memory.decisions import change_texts, fact_vector_id
from maya_core.memory.holding import Hold
from maya_core.memory.text_vectors import put_texts
from maya_core.stores.batches.port import LeaseLost
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.vectors.port import Vectors

_PAGE = 100


class Applying:
    """Applies changes in their order, under the lease of their user. A store that is None is left out."""

    def __init__(
        self, *, changes: Changes, embedder: Embedder | None, vectors: Vectors | None, graph: Graph | None
    ) -> None:
        self._changes = changes
        self._embedder = embedder
        self._vectors = vectors
        self._graph = graph

    async def finish(self, hold: Hold, user_id: UserId) -> int:
        """Apply what was recorded and no more; how many those were. Raises LeaseLost and StoreUnavailable."""
        done = 0
        while waiting := await self._changes.list_changes(user_id, states={ChangeState.RECORDED}, limit=_PAGE):
            for change in waiting:
                await self.apply(hold, change)
            done += len(waiting)
        return done

    async def apply(self, hold: Hold, change: Change) -> Change:
        """Write one change to both stores and mark it."""
        await self._write_vectors(hold, change)
        await self._write_graph(hold, change)
        return await self._changes.applied(hold.lease, change)

    async def _write_vectors(self, hold: Hold, change: Change) -> None:
        if self._embedder is None or self._vectors is None:
            return
        model = self._embedder.model
        texts = change_texts(change, model=model)
        await put_texts(hold, change.user_id, texts, embedder=self._embedder, vectors=self._vectors)
        gone = [fact_vector_id(each.id, model=model) for each in change.effect.facts if each.after is None]
        if gone:
            hold.check()
            await self._vectors.delete(change.user_id, gone)

    async def _write_graph(self, hold: Hold, change: Change) -> None:
        if self._graph is None or change.effect.nothing:
            return
        try:
            await self._put_and_delete(self._graph, hold, change)
        except Conflict as refused:
            raise LeaseLost("the graph has been written to under a later lease") from refused

    @staticmethod
    async def _put_and_delete(graph: Graph, hold: Hold, change: Change) -> None:
        entities, facts = change.effect.entities, change.effect.facts
        fence = hold.lease.epoch
        hold.check()
        await graph.put(
            change.user_id,
            entities=[each.after for each in entities if each.after is not None],
            facts=[each.after for each in facts if each.after is not None],
            fence=fence,
        )
        gone_entities = [each.id for each in entities if each.after is None]
        gone_facts = [each.id for each in facts if each.after is None]
        if gone_entities or gone_facts:
            hold.check()
            await graph.delete(change.user_id, facts=gone_facts, entities=gone_entities, fence=fence)
