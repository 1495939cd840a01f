"""The memory half of the composition root: embedder, vectors, graph, recall, consolidation."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from maya_core.chat import titles
from maya_core.clock import Clock
from maya_core.domain.health import FACTS, MEANING, BreakerMode, BreakerState, Circuit, CircuitSnapshot, Light
from maya_core.embeddings.factory import EmbeddingBackend, EmbeddingSettings, make_embedder
from maya_core.embeddings.port import Embedder, Reporting
from maya_core.errors import ConfigurationError, StoreError
from maya_core.health.drills import hideable
from maya_core.health.standing import Standing
from maya_core.jobs.port import Discardable, Jobs
from maya_core.memory.applying import Applying
from maya_core.memory.changes import MemoryChanges
from maya_core.memory.consolidation import Consolidation
from maya_core.memory.episodes import Episodes
from maya_core.memory.explorer import Explorer
from maya_core.memory.fact_search import FactSearch
from maya_core.memory.forget import ForgetPolicy, Forgetting
from maya_core.memory.indexing import Indexing
from maya_core.memory.plans import Plans
from maya_core.memory.reading import Reader
from maya_core.memory.rebuild import Rebuild
from maya_core.memory.recall import Recall, RecallPolicy
from maya_core.memory.review import Review, ReviewPolicy
from maya_core.memory.summary import summary_of
from maya_core.memory.sweep import Sweep, SweepPolicy
from maya_core.memory.verify import Verification
from maya_core.providers.port import Account, Chain, Limits
from maya_core.resilience.stores import with_circuit
from maya_core.settings import Settings
from maya_core.stores.batches.port import Batches
from maya_core.stores.changes.port import Changes
from maya_core.stores.factory import Stores, file_of_all, open_graph, open_vectors, open_vectors_to_delete, scour_of
from maya_core.stores.graph.port import Graph
from maya_core.stores.vectors.check import check_index
from maya_core.stores.vectors.port import Vectors
from maya_core.stores.whiteboard.port import Erasable

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Memory:
    """Everything that remembers. Without an embedder nothing is found by meaning; words and facts still are.

    `notice` says what is missing, or None.
    """

    embedder: Embedder | None
    vectors: Vectors | None
    graph: Graph
    batches: Batches
    recall: Recall
    explorer: Explorer
    indexing: Indexing | None
    consolidation: Consolidation
    changes: MemoryChanges
    change_log: Changes
    review: Review
    verification: Verification
    rebuild: Rebuild
    forgetting: Forgetting
    notice: Light | None

    def lights(self) -> tuple[Light, ...]:
        """What is missing, or why the embedding model is not to be had now. Waits for nothing."""
        if self.notice is not None:
            return (self.notice,)
        embedder: object = self.embedder
        trouble = embedder.trouble if isinstance(embedder, Reporting) else ""
        return (_without_meaning(trouble),) if trouble else ()

    async def close(self) -> None:
        """Close the embedder and the stores of memory."""
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.graph.close)
            if self.vectors is not None:
                closing.push_async_callback(self.vectors.close)
            if self.embedder is not None:
                closing.push_async_callback(self.embedder.close)


async def build_memory(
    settings: Settings,
    *,
    stores: Stores,
    chain: Chain | None,
    offline: str,
    clock: Clock,
    check: bool,
    standing: Standing | None = None,
    jobs: Jobs | None = None,
    queue: Discardable | None = None,
    whiteboard: Erasable | None = None,
    limits: Limits | None = None,
    accounts: Sequence[Account] = (),
) -> Memory:
    """Open the stores of memory and put its parts together. `chain` is None when no model is configured.

    A vendor's embedding model is asked within `limits` and put to `accounts`.
    Forgetting asks `jobs` for its work, and does it at once without; it takes things off `queue` and `whiteboard`.

    With `check`, raises ConfigurationError when the stored vectors are another model's. `standing` may hide a store.
    """
    embedder, notice = _embedder(settings, clock, limits, accounts)
    vectors = None if embedder is None else await open_vectors(settings, stores, embedder)
    if check and embedder is not None and vectors is not None:
        await _compare(embedder, vectors)
    graph = await open_graph(settings, stores, clock)
    left_over = await open_vectors_to_delete(settings, stores) if vectors is None else None
    if vectors is not None and settings.pinecone_api_key is not None:
        vectors = with_circuit(vectors, "pinecone", clock)
    if settings.neo4j_uri is not None:
        graph = with_circuit(graph, "neo4j", clock)
    if standing is not None:
        vectors = None if vectors is None else hideable(vectors, MEANING, standing)
        graph = hideable(graph, FACTS, standing)
    transcripts, batches = stores.transcripts, stores.batches
    episodes: Episodes | None = None
    indexing: Indexing | None = None
    if embedder is not None and vectors is not None:
        episodes = Episodes(embedder=embedder, vectors=vectors, transcripts=transcripts)
        indexing = Indexing(transcripts=transcripts, batches=batches, episodes=episodes)
    verification = Verification(
        transcripts=transcripts,
        batches=batches,
        changes=stores.changes,
        episodes=episodes,
        embedder=embedder,
        vectors=vectors,
        graph=graph,
        clock=clock,
    )
    consolidation = Consolidation(
        transcripts=transcripts,
        batches=batches,
        changes=stores.changes,
        understanding=Reader(chain=chain, summarise=summary_of, offline=offline),
        embedder=embedder,
        vectors=vectors,
        graph=graph,
        clock=clock,
    )
    plans = Plans(graph=graph, transcripts=transcripts, changes=stores.changes)
    changes = MemoryChanges(
        batches=batches,
        changes=stores.changes,
        plans=plans,
        applying=Applying(changes=stores.changes, embedder=embedder, vectors=vectors, graph=graph),
        half_written=consolidation,
        clock=clock,
    )
    return Memory(
        embedder=embedder,
        vectors=vectors,
        graph=graph,
        batches=batches,
        recall=_recall(settings, stores, clock, embedder=embedder, vectors=vectors, graph=graph),
        explorer=Explorer(graph=graph, transcripts=transcripts),
        indexing=indexing,
        consolidation=consolidation,
        change_log=stores.changes,
        changes=changes,
        review=Review(
            graph=graph,
            changes=stores.changes,
            people=changes,
            plans=plans,
            embedder=embedder,
            clock=clock,
            policy=ReviewPolicy(auto_from=settings.review_auto_from),
        ),
        verification=verification,
        rebuild=Rebuild(verification=verification, vectors=vectors),
        forgetting=Forgetting(
            forgets=stores.forgets,
            transcripts=transcripts,
            batches=batches,
            changes=stores.changes,
            embedder=embedder,
            vectors=vectors or left_over,
            episodes=episodes,
            graph=graph,
            whiteboard=whiteboard,
            jobs=jobs,
            queue=queue,
            scour=scour_of(stores),
            summarise=summary_of,
            title_of=titles.from_first_words,
            clock=clock,
            policy=ForgetPolicy(look_again_after_s=settings.forget_look_again_s),
        ),
        notice=notice,
    )


class Circuits(Protocol):
    """How the breakers stand."""

    async def snapshot(self, circuits: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]: ...


def sweep_for(
    memory: Memory, jobs: Jobs, settings: Settings, clock: Clock, *, breaker: Circuits, models: Sequence[Circuit]
) -> Sweep:
    """The sweeper of that memory's pending work. What was read offline is read again while one of `models` answers."""
    policy = SweepPolicy(every_s=settings.memory_sweep_every_s, consolidate_after_s=settings.consolidate_after_s)
    if memory.indexing is None:
        policy = replace(policy, embed_after_s=None)
    return Sweep(
        batches=memory.batches,
        changes=memory.change_log,
        jobs=jobs,
        clock=clock,
        model_answers=lambda: can_be_asked(breaker, models),
        policy=policy,
    )


async def can_be_asked(breaker: Circuits, models: Sequence[Circuit]) -> bool:
    """Some of these models would be asked now: it is not isolated, and not open but for a probe that is due."""
    found = await breaker.snapshot(models) if models else ()
    return any(
        circuit.mode is not BreakerMode.ISOLATED and (circuit.state is not BreakerState.OPEN or circuit.retry_in_s == 0)
        for circuit in found
    )


async def keep_sweeping(sweep: Sweep, every_s: float) -> None:
    """Sweep now and again, for ever. A store that is away is tried the next time."""
    while True:
        try:
            await sweep.run()
        except StoreError as failure:
            log.warning("sweeping memory was put off: %s", type(failure).__name__)
        await asyncio.sleep(every_s)


def _recall(
    settings: Settings,
    stores: Stores,
    clock: Clock,
    *,
    embedder: Embedder | None,
    vectors: Vectors | None,
    graph: Graph,
) -> Recall:
    file = file_of_all(settings, stores)
    return Recall(
        transcripts=stores.transcripts,
        clock=clock,
        vectors=vectors,
        embedder=embedder,
        facts=FactSearch(graph),
        together=None if file is None else file.together,
        policy=RecallPolicy(deadline_s=settings.lookback_s),
    )


def _embedder(
    settings: Settings, clock: Clock, limits: Limits | None, accounts: Sequence[Account]
) -> tuple[Embedder | None, Light | None]:
    """The chosen model; None, with the sentence for the page, where it cannot be had."""
    if settings.embeddings == "off":
        return None, _without_meaning("MAYA_EMBEDDINGS is off.")
    keys = {"gemini": settings.gemini_api_keys, "cohere": (settings.cohere_api_key,)}.get(settings.embeddings, ())
    urls = {"gemini": settings.gemini_base_url, "cohere": settings.cohere_base_url}
    chosen = EmbeddingSettings(
        backend=EmbeddingBackend(settings.embeddings),
        keys=tuple(key.get_secret_value() for key in keys if key is not None),
        model=settings.embedding_model,
        url=urls.get(settings.embeddings) or "",
        dimension=settings.embedding_dimension,
        timeout_s=settings.embeddings_timeout_s,
    )
    try:
        return make_embedder(chosen, clock=clock, limits=limits, accounts=accounts), None
    except ConfigurationError as missing:
        log.warning("nothing is found by meaning: %s", missing)
        if chosen.backend is not EmbeddingBackend.MINILM:
            return None, _without_meaning(f"{missing}.")
        return None, _without_meaning("The embedding model is not installed; `make setup` installs it.")


def _without_meaning(why: str) -> Light:
    return Light(part=MEANING, ok=False, sentence=f"Earlier chats are found by their words only, not by meaning. {why}")


async def _compare(embedder: Embedder, vectors: Vectors) -> None:
    try:
        await check_index(embedder, vectors)
    except StoreError as failure:  # away just now: searches will say so
        log.warning("the vectors could not be looked at: %s", type(failure).__name__)
