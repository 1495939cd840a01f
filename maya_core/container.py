"""The composition root: reads from top to bottom as what Maya is made of."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from maya_core.chat.conversations import ConversationService
from maya_core.chat.live import LiveReplies
from maya_core.chat.lookback import Lookback, LookbackPolicy
from maya_core.chat.naming import Naming
from maya_core.chat.turn import Follower, TurnPolicy, TurnService
from maya_core.clock import Clock, SystemClock
from maya_core.domain.health import FAST_MEMORY, SAVED_CHATS, Circuit, Light
from maya_core.errors import StoreError
from maya_core.health.calls import CallRecorder
from maya_core.health.drills import DrilledBreaker, hideable
from maya_core.health.standing import Standing
from maya_core.health_parts import Health, build_health
from maya_core.jobs.port import Discardable, Inspectable, Jobs, JobTable
from maya_core.memory.following import MemoryFollower
from maya_core.memory.forget import Forgetting
from maya_core.memory.recall import Recall
from maya_core.memory_parts import Memory, build_memory, keep_sweeping, sweep_for
from maya_core.memory_views import MemoryViews, build_views, keep_measuring
from maya_core.providers.chain import FallbackChain, Link, Place
from maya_core.providers.deadlines import ChainLimits
from maya_core.providers.factory import build_providers, provider_settings
from maya_core.providers.port import Chain, Provider, Warmable
from maya_core.resilience.port import Breaker
from maya_core.settings import Settings
from maya_core.stores.factory import (
    RedisPlace,
    Stores,
    open_breaker,
    open_jobs,
    open_orders,
    open_pool,
    open_records,
    open_redis,
    open_stores,
    open_whiteboard,
)
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.whiteboard.port import Erasable, Whiteboard
from maya_core.usage_parts import UsageParts, build_usage, titles_by_model, with_cheaper
from maya_core.watch import Watch

log = logging.getLogger(__name__)

OFFLINE = "offline"
_PLACES = {OFFLINE: Place.OFFLINE, "ollama": Place.LOCAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Parts to use instead of those that the settings would choose. For tests and benchmarks."""

    transcripts: Transcripts | None = None
    whiteboard: Whiteboard | None = None
    breaker: Breaker | None = None
    providers: tuple[Provider, ...] | None = None


@dataclass(slots=True, kw_only=True)
class Container:
    """Everything that runs, on the engine's loop. Close it once."""

    settings: Settings
    clock: Clock
    redis: RedisPlace
    stores: Stores
    whiteboard: Whiteboard
    breaker: Breaker
    providers: tuple[Provider, ...]
    chain: Chain
    memory: Memory
    jobs: Jobs
    turns: TurnService
    conversations: ConversationService
    watch: Watch
    health: Health
    usage: UsageParts
    views: MemoryViews
    background: tuple[asyncio.Task[None], ...]

    @property
    def transcripts(self) -> Transcripts:
        """Every conversation."""
        return self.stores.transcripts

    @property
    def circuits(self) -> tuple[Circuit, ...]:
        """The breakers' circuits, in the order of the chain."""
        return tuple(Circuit(provider=p.name, model=p.model) for p in self.providers)

    @property
    def model_configured(self) -> bool:
        """Some model beside the offline provider is configured."""
        return any(p.name != OFFLINE for p in self.providers)

    def label(self, provider: str, model: str) -> str:
        """The name that people know a model by."""
        return _label(self.providers, provider, model)

    def lights(self) -> tuple[Light, ...]:
        """How each part is, as last looked at."""
        limits = self.usage.outlook.lights() if self.usage.outlook is not None else ()
        return self.watch.lights() + self.health.board.lights() + limits + self.memory.lights()

    def warm(self) -> None:
        """Load what is slow to load now, from a thread of the caller's, so that no turn has to."""
        slow: tuple[object, ...] = (*self.providers, self.memory.embedder)
        for part in slow:
            if isinstance(part, Warmable):
                part.warm()

    async def close(self) -> None:
        """End running replies (their text is kept), then close every store and client.

        One that cannot be closed keeps none of the others open: the embedded redis-server would outlive Maya.
        """
        for task in self.background:
            task.cancel()
        async with AsyncExitStack() as closing:  # the last one pushed is closed first
            closing.push_async_callback(self.redis.close)
            closing.push_async_callback(self.stores.close)
            closing.push_async_callback(self.memory.close)
            closing.push_async_callback(self.views.close)
            closing.push_async_callback(self.jobs.close)
            closing.push_async_callback(self.whiteboard.close)
            closing.push_async_callback(self.usage.ledger.close)
            closing.push_async_callback(self.chain.close)
            closing.push_async_callback(self.health.close)
            closing.push_async_callback(self.turns.close, drain_s=self.settings.drain_s)
            closing.push_async_callback(self.watch.close)


async def build_container(
    settings: Settings,
    *,
    jobs: JobTable | None = None,
    working: bool = False,
    check: bool = True,
    clock: Clock | None = None,
    overrides: Overrides | None = None,
) -> Container:
    """Open the stores, then put the parts together. Runs on the loop that everything will live on.

    `jobs` is what can be asked for in the background; `working` says that this process is a worker, which looks for
    forgotten work as well. `check` False opens memory whose vectors are another model's, to make them anew.

    Raises ConfigurationError for an impossible choice and StoreUnavailable when the transcripts cannot be opened;
    nothing stays open then.
    """
    clock = clock or SystemClock()
    given = overrides or Overrides()
    table: JobTable = jobs or {}

    async def perform(name: str, ids: Mapping[str, str]) -> None:
        await table[name](container, ids)

    providers = given.providers or tuple(build_providers(provider_settings(settings), clock=clock))
    if given.providers is None:
        providers = with_cheaper(settings, providers, clock=clock)
    model_configured = any(p.name != OFFLINE for p in providers)
    async with AsyncExitStack() as opened:  # closes what was opened when something after it cannot be
        redis = await open_redis(settings, clock)
        opened.push_async_callback(redis.close)
        whiteboard = given.whiteboard or open_whiteboard(redis, settings)
        standing = Standing(open_orders(redis, settings), clock, on_arrange=lambda first: chain.arrange(first))  # noqa: PLW0108 - made below
        breaker = DrilledBreaker(given.breaker or open_breaker(redis, settings, clock), standing, clock)
        links = [Link(provider=p, place=_PLACES.get(p.name, Place.CLOUD)) for p in providers]

        stores = await open_stores(settings)
        opened.push_async_callback(stores.close)
        records = await open_records(stores)
        usage = build_usage(
            settings,
            vendors=[link.provider for link in links if link.place is Place.CLOUD],
            usage=records.usage,
            quality=records.quality,
            pool=open_pool(redis),
            clock=clock,
        )
        recorder = CallRecorder(records.calls, clock)
        chain_of = partial(
            FallbackChain,
            breaker=breaker,
            clock=clock,
            limits=_limits(settings),
            quota=usage.quota,
            accounts=(usage.ledger, recorder),
        )
        chain = chain_of(links)
        stores.transcripts = given.transcripts or stores.transcripts
        pings = {SAVED_CHATS: stores.transcripts.ping, FAST_MEMORY: whiteboard.ping}
        stores.transcripts = hideable(stores.transcripts, SAVED_CHATS, standing)
        stores.batches = hideable(stores.batches, SAVED_CHATS, standing)
        erasable = whiteboard if isinstance(whiteboard, Erasable) else None
        whiteboard = hideable(whiteboard, FAST_MEMORY, standing)
        await standing.look()
        jobs_queue = open_jobs(redis, table, perform)
        opened.push_async_callback(jobs_queue.close)
        queue = hideable(jobs_queue, FAST_MEMORY, standing)
        memory = await build_memory(
            settings,
            stores=stores,
            chain=chain if model_configured else None,
            offline=OFFLINE,
            clock=clock,
            check=check,
            standing=standing,
            jobs=queue if table else None,
            queue=hideable(jobs_queue, FAST_MEMORY, standing) if isinstance(jobs_queue, Discardable) else None,
            whiteboard=None if erasable is None else hideable(erasable, FAST_MEMORY, standing),
            limits=usage.quota,
            accounts=(usage.ledger,),
        )
        views = await build_views(settings, stores=stores, memory=memory, records=records, clock=clock)
        opened.pop_all()

    turns = _turns(
        settings,
        transcripts=stores.transcripts,
        whiteboard=whiteboard,
        recall=memory.recall,
        chain=chain,
        providers=providers,
        jobs=queue if table else None,
        clock=clock,
    )
    conversations = ConversationService(
        transcripts=stores.transcripts, whiteboard=whiteboard, clock=clock, forgetting=memory.forgetting
    )
    background = [_sweep(turns, conversations, memory.forgetting, settings.sweep_every_s)]
    if table and (working or not redis.url):
        sweep = sweep_for(memory, queue, settings, clock, breaker=breaker, models=_models(links))
        background.append(keep_sweeping(sweep, settings.memory_sweep_every_s))
        background.append(keep_measuring(views.quality))
    watch = Watch(
        transcripts=stores.transcripts,
        whiteboard=whiteboard,
        notice=redis.notice,
        vectors=None if memory.vectors is None else memory.vectors.ping,
        graph=memory.graph.ping,
        clock=clock,
        storage=settings.data_dir if stores.file is not None else None,
    )
    health = build_health(
        providers=providers,
        clouds=[link.circuit for link in links if link.place is Place.CLOUD],
        offline=OFFLINE,
        breaker=breaker,
        standing=standing,
        recorder=recorder,
        records=records,
        batches=stores.batches,
        jobs=queue,
        queue=jobs_queue if isinstance(jobs_queue, Inspectable) else None,
        quotas=usage,
        lights=lambda: container.lights(),  # noqa: PLW0108 - made below
        parts=watch.seen,
        pings=pings,
        alone=lambda circuit: chain_of([link for link in links if link.circuit == circuit]),
        consolidate_after_s=settings.consolidate_after_s,
        clock=clock,
    )
    background += [*health.background(serving=not working, working=working or not redis.url), *usage.background()]
    container = Container(
        settings=settings,
        clock=clock,
        redis=redis,
        stores=stores,
        whiteboard=whiteboard,
        breaker=breaker,
        providers=providers,
        chain=chain,
        memory=memory,
        views=views,
        jobs=queue,
        turns=turns,
        conversations=conversations,
        watch=watch,
        health=health,
        usage=usage,
        background=tuple(_begin(work) for work in background),
    )
    return container


def _begin(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """Work for as long as Maya runs; should it end by a mistake of ours, the log says so."""
    task = asyncio.create_task(work)
    task.add_done_callback(_tell_the_end)
    return task


def _tell_the_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (mistake := task.exception()) is not None:
        log.error("work in the background has ended", exc_info=mistake)


def _models(links: Sequence[Link]) -> tuple[Circuit, ...]:
    """Those that can understand something: all but the offline provider."""
    return tuple(link.circuit for link in links if link.place is not Place.OFFLINE)


def _turns(
    settings: Settings,
    *,
    transcripts: Transcripts,
    whiteboard: Whiteboard,
    recall: Recall,
    chain: Chain,
    providers: tuple[Provider, ...],
    jobs: Jobs | None,
    clock: Clock,
) -> TurnService:
    """The request path; with `jobs`, what is said is remembered beside it."""
    lookback = Lookback(
        transcripts=transcripts,
        whiteboard=whiteboard,
        recall=recall,
        clock=clock,
        policy=LookbackPolicy(ahead=settings.embeddings in {"minilm", "off"}, deadline_s=settings.lookback_s),
    )
    naming = Naming(
        transcripts=transcripts,
        chain=chain,
        ask_a_model=titles_by_model(settings) and any(p.name != OFFLINE for p in providers),
        offline=OFFLINE,
    )
    followers: list[Follower] = [naming]
    if jobs is not None:
        followers.append(MemoryFollower(conversations=transcripts, jobs=jobs))
    return TurnService(
        transcripts=transcripts,
        whiteboard=whiteboard,
        lookback=lookback,
        chain=chain,
        live=LiveReplies(whiteboard),
        clock=clock,
        labels=lambda provider, model: _label(providers, provider, model),
        policy=TurnPolicy(confirm_s=settings.confirm_s, stale_after_s=settings.stale_after_s),
        followers=followers,
    )


async def _sweep(
    turns: TurnService, conversations: ConversationService, forgetting: Forgetting, every_s: float
) -> None:
    """End silent replies, remove deleted chats and go on forgetting, now and then again.

    A store that is away is tried the next time.
    """
    while True:
        try:
            await turns.sweep()
            await conversations.purge()
            await forgetting.wake()
        except StoreError as failure:
            log.warning("sweeping was put off: %s", type(failure).__name__)
        await asyncio.sleep(every_s)


def _limits(settings: Settings) -> ChainLimits:
    return ChainLimits(
        first_token_s=settings.first_token_s,
        hop_first_token_s=settings.later_first_token_s,
        probe_first_token_s=settings.probe_first_token_s,
        idle_s=settings.idle_s,
        total_s=settings.total_s,
    )


def _label(providers: tuple[Provider, ...], provider: str, model: str) -> str:
    return next((p.label for p in providers if (p.name, p.model) == (provider, model)), provider)
