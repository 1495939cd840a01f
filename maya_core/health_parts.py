"""The part of the composition root that looks after Maya itself: what is counted, shown, controlled and drilled."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

from maya_core.clock import Clock
from maya_core.domain.health import Circuit, Light, PartSeen
from maya_core.health.board import Board, Known, Quotas
from maya_core.health.calls import CallRecorder
from maya_core.health.controls import Controls
from maya_core.health.figures import as_text
from maya_core.health.probing import Probing
from maya_core.health.readiness import Readiness, readiness
from maya_core.health.standing import LOOK_EVERY_S, Standing
from maya_core.jobs.port import Inspectable, Jobs
from maya_core.providers.port import Chain, Provider
from maya_core.resilience.port import Breaker
from maya_core.stores.batches.port import Batches
from maya_core.stores.factory import Records

_WATCH_EVERY_S = 15.0


@dataclass(slots=True, kw_only=True)
class Health:
    """Everything about how Maya is. `pings` are the parts that `/readyz` asks, without any drill."""

    standing: Standing
    recorder: CallRecorder
    board: Board
    controls: Controls
    probing: Probing
    pings: Mapping[str, Callable[[], Awaitable[None]]]

    async def ready(self) -> Readiness:
        """Whether this process can serve people, asked now."""
        return await readiness(self.pings)

    async def metrics(self) -> bytes:
        """The figures of this moment for a monitoring server."""
        return as_text(await self.board.take(), self.recorder.since_start)

    def background(self, *, serving: bool, working: bool) -> list[Coroutine[object, object, None]]:
        """What goes on beside everything else, in a process that serves people, or does work in the background."""
        works = [self.keep_looking()]
        if serving:
            works.append(self.keep_watching())
        if working:
            works.append(self.keep_probing())
        return works

    async def keep_looking(self) -> None:
        """Follow the standing orders, know whether a model can answer, and store what was counted, for ever."""
        while True:
            await self.standing.look()
            await self.board.look_at_models()
            await self.recorder.save()
            await asyncio.sleep(LOOK_EVERY_S)

    async def keep_watching(self) -> None:
        """Raise the alerts that nobody's request would raise, for ever."""
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            await self.board.watch()

    async def keep_probing(self) -> None:
        """Ask vendors whose open time is over while nobody writes, for ever."""
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            await self.probing.look()

    async def close(self) -> None:
        """Store what was counted, and end what is being measured."""
        await self.board.close()
        await self.recorder.save()


def build_health(
    *,
    providers: Sequence[Provider],
    clouds: Sequence[Circuit],
    offline: str,
    breaker: Breaker,
    standing: Standing,
    recorder: CallRecorder,
    records: Records,
    batches: Batches,
    jobs: Jobs,
    queue: Inspectable | None,
    quotas: Quotas | None,
    lights: Callable[[], tuple[Light, ...]],
    parts: Callable[[], tuple[PartSeen, ...]],
    pings: Mapping[str, Callable[[], Awaitable[None]]],
    alone: Callable[[Circuit], Chain],
    consolidate_after_s: float,
    clock: Clock,
) -> Health:
    """Put the parts together. `clouds` are the circuits that can be asked in another order."""
    known = [
        Known(
            circuit=Circuit(provider=provider.name, model=provider.model),
            label=provider.label,
            fingerprints=tuple(provider.keys),
            cloud=Circuit(provider=provider.name, model=provider.model) in clouds,
            offline=provider.name == offline,
        )
        for provider in providers
    ]
    board = Board(
        providers=known,
        breaker=breaker,
        standing=standing,
        recorder=recorder,
        history=records.calls,
        batches=batches,
        queue=queue,
        quotas=quotas,
        lights=lights,
        parts=parts,
        consolidate_after_s=consolidate_after_s,
        clock=clock,
    )
    controls = Controls(
        circuits=[each.circuit for each in known if not each.offline],
        arrangeable=clouds,
        breaker=breaker,
        standing=standing,
        board=board,
        audit=records.audit,
        jobs=jobs,
        alone=alone,
        clock=clock,
    )
    probing = Probing(circuits=clouds, breaker=breaker, alone=alone)
    return Health(standing=standing, recorder=recorder, board=board, controls=controls, probing=probing, pings=pings)
