"""The part of the composition root that lets people look into their memory, take it along and bring it."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maya_core.chat import prompt
from maya_core.chat.lookback import LookbackPolicy
from maya_core.clock import Clock
from maya_core.domain.conversation import Excerpt, MessageId, RecalledFact
from maya_core.errors import StoreError
from maya_core.memory.bench import Bench, Given
from maya_core.memory.changed import WhatChanged
from maya_core.memory.portability import Portability
from maya_core.memory.quality import Quality
from maya_core.memory.questions import Questions
from maya_core.memory.search_all import SearchAll
from maya_core.memory.summaries import Summaries
from maya_core.memory_parts import Memory
from maya_core.settings import Settings
from maya_core.stores.factory import Records, Stores, open_reader
from maya_core.stores.transcripts.port import Copies

log = logging.getLogger(__name__)

_MEASURE_EVERY_S = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryViews:
    """What the memory page shows beside facts and graph."""

    bench: Bench
    search: SearchAll
    summaries: Summaries
    changed: WhatChanged
    quality: Quality
    questions: Questions
    portability: Portability

    async def close(self) -> None:
        """Close what was opened for looking only."""
        await self.questions.close()


async def build_views(
    settings: Settings, *, stores: Stores, memory: Memory, records: Records, clock: Clock
) -> MemoryViews:
    """Put them together. Raises ConfigurationError for a reader's login that cannot be used."""
    transcripts = stores.transcripts
    summaries = Summaries(transcripts=transcripts, batches=memory.batches)
    return MemoryViews(
        bench=Bench(
            recall=memory.recall,
            transcripts=transcripts,
            embedder=memory.embedder,
            vectors=memory.vectors,
            give=_Giver(clock),
            recalled_at_most=LookbackPolicy().earlier_messages,
        ),
        search=SearchAll(
            transcripts=transcripts,
            summaries=summaries,
            graph=memory.graph,
            explorer=memory.explorer,
            embedder=memory.embedder,
            vectors=memory.vectors,
            clock=clock,
        ),
        summaries=summaries,
        changed=WhatChanged(
            transcripts=transcripts,
            batches=memory.batches,
            graph=memory.graph,
            explorer=memory.explorer,
            changes=memory.changes,
            clock=clock,
        ),
        quality=Quality(
            graph=memory.graph,
            explorer=memory.explorer,
            transcripts=transcripts,
            batches=memory.batches,
            log=records.quality,
            clock=clock,
        ),
        questions=Questions(
            explorer=memory.explorer,
            neo4j=settings.neo4j_uri is not None,
            reader=await open_reader(settings),
            audit=records.audit,
            clock=clock,
        ),
        portability=Portability(
            transcripts=transcripts,
            copies=transcripts if isinstance(transcripts, Copies) else None,
            batches=memory.batches,
            summaries=summaries,
            changes=memory.changes,
            rows=memory.change_log,
            graph=memory.graph,
            embedder=memory.embedder,
            vectors=memory.vectors,
            clock=clock,
        ),
    )


async def keep_measuring(quality: Quality) -> None:
    """Take the day's figures of everybody's memory, a few at a time, for ever."""
    while True:
        try:
            await quality.measure_those_due()
        except StoreError as failure:
            log.warning("measuring memories was put off: %s", type(failure).__name__)
        await asyncio.sleep(_MEASURE_EVERY_S)


class _Giver:
    """Makes the prompt of a new chat's first message, as a turn would."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._budget = prompt.PromptBudget()

    def __call__(
        self,
        text: str,
        *,
        recalled: Sequence[Excerpt],
        facts: Sequence[RecalledFact],
        overtaken: Mapping[MessageId, str],
    ) -> Given:
        made = prompt.build(
            history=(),
            text=text,
            recalled=recalled,
            overtaken=overtaken,
            facts=facts,
            now=self._clock.now(),
            budget=self._budget,
        )
        return Given(
            facts=tuple(fact.text for fact in made.facts),
            passages=len(made.citations),
            text=made.system,
            tokens=prompt.estimate_tokens(made.system),
        )
