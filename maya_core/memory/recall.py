"""Recall: what the person and Maya said before that bears on a question, in one order, in time.

Three legs are asked: words (transcripts), meaning (embedder and vectors) and facts (graph). What is late or down is
reported with the result and never raised. What comes back is data: quoted, with origin and date.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from maya_core.beside import all_of
from maya_core.clock import Clock
from maya_core.domain.conversation import ConversationId, Excerpt, MessageId, Passage, Role, TierUse, UserId
from maya_core.embeddings.port import Embedder
from maya_core.errors import StoreError
from maya_core.memory.fact_search import FactHit, FactSearch
from maya_core.memory.gathering import EARLY_SHARE, FACTS, MEANING, WORDS, Dense, Early, Gathering, Near, Sources
from maya_core.memory.legs import Legs
from maya_core.memory.question import understand
from maya_core.memory.ranking import Candidate, Ranked, ScoreParts, Weights, rank
from maya_core.stores.transcripts.port import Passages
from maya_core.stores.vectors.port import Vectors

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector

T = TypeVar("T")

Watch = Callable[[Sequence[Candidate]], None]
"""Told everything that the legs brought, before it is put in order."""

_CHARACTERS_PER_TOKEN = 4
_TOKENS_OF_AN_ORIGIN = 20
_ROOM_FOR_HIDDEN = 2
_MOST_USERS = 1_000
_WORDS_HEAD_START_S = 0.03
_SPEAKERS_SHARE = 0.25  # of the whole time; a question is understood without their names too
_IN_ORDER = (WORDS, MEANING, FACTS)


class Together(Protocol):
    """Runs work that asks one store many times in a row where that is quickest. Raises StoreUnavailable."""

    def __call__(
        self, work: Callable[[], Coroutine[object, object, T]], *, timeout_s: float
    ) -> Coroutine[object, object, T]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallPolicy:
    """Limits of one recall.

    Attributes:
        deadline_s: for everything together.
        by_meaning, by_words: the most candidates that a leg may bring.
        speakers_s: how long the names of a person's voices are believed without looking again.
    """

    deadline_s: float = 0.8
    by_meaning: int = 40
    by_words: int = 30
    speakers_s: float = 60.0
    weights: Weights = field(default_factory=Weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallHit:
    """Something said, its place in its conversation, and why it was chosen.

    `overtaken` says what is known by now where this does not hold any more; "" otherwise.
    """

    excerpt: Excerpt
    seq: int
    parts: ScoreParts
    overtaken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What was found, best first, and how each leg fared. `facts` are those that bear on the question."""

    hits: tuple[RecallHit, ...]
    facts: tuple[FactHit, ...]
    tiers: tuple[TierUse, ...]


class Recall:
    """Searches one person's own past. A leg without its store is reported as skipped.

    `together` is for stores that are one file: what is asked of them in a row is asked in one go.
    """

    def __init__(
        self,
        *,
        transcripts: Passages,
        clock: Clock,
        vectors: Vectors | None = None,
        embedder: Embedder | None = None,
        facts: FactSearch | None = None,
        together: Together | None = None,
        policy: RecallPolicy | None = None,
    ) -> None:
        self._clock = clock
        self._together = together
        self._policy = policy or RecallPolicy()
        self._sources = Sources(
            transcripts=transcripts,
            dense=None if vectors is None or embedder is None else Dense(embedder=embedder, vectors=vectors),
            facts=facts,
            by_words=self._policy.by_words,
            by_meaning=self._policy.by_meaning,
        )
        self._speakers = _Speakers(transcripts, clock, keep_s=self._policy.speakers_s)

    async def search(
        self,
        user_id: UserId,
        text: str,
        *,
        exclude: ConversationId | None = None,
        own_names: Collection[str] = (),
        limit: int = 20,
        budget_tokens: int | None = None,
        watch: Watch | None = None,
        at: datetime | None = None,
    ) -> Recalled:
        """What was said about this, best first: at most `limit` messages that together cost at most `budget_tokens`.

        `exclude` leaves one conversation out: the running one, which the prompt has anyway. `own_names` are the names
        under which the person's own statements stand; without any, everything that Maya did not say counts as theirs.
        `watch` is told what was ranked, on any thread. Facts are those of the moment `at`, now for None. Never raises
        for a store that is slow or down.
        """
        legs = Legs(self._clock, deadline_s=self._policy.deadline_s)
        for tier in self._sources.missing:
            legs.skip(tier)
        speakers = self._speakers.known(user_id)
        if speakers is None:
            speakers = await legs.quietly(lambda: self._speakers.read(user_id), (), share=_SPEAKERS_SHARE)
        question = understand(text, speakers=speakers)
        gathering = Gathering(
            self._sources, user_id, question, exclude=exclude, at=at or self._clock.now(), legs=legs
        )  # fmt: skip
        vector, early, near = await self._asked(gathering, question.searched, legs)

        async def finish() -> tuple[tuple[RecallHit, ...], tuple[FactHit, ...]]:
            await gathering.complete(early, vector, near)
            candidates = gathering.pool.candidates(exclude=exclude)
            if watch is not None:
                watch(candidates)
            ranked = rank(
                candidates,
                question,
                is_own=lambda ref: ref.role is Role.USER and (not own_names or ref.speaker in own_names),
                most=_ROOM_FOR_HIDDEN * limit,
                weights=self._policy.weights,
            )
            return await _hits(gathering, ranked, limit, budget_tokens), tuple(gathering.facts)

        nothing: tuple[tuple[RecallHit, ...], tuple[FactHit, ...]] = ((), ())
        hits, facts = await self._in_one_go(finish, legs, _IN_ORDER, otherwise=nothing)
        return Recalled(
            hits=hits, facts=facts, tiers=tuple(sorted(legs.tiers, key=lambda use: _IN_ORDER.index(use.tier)))
        )

    async def _asked(
        self, gathering: Gathering, searched: str, legs: Legs
    ) -> "tuple[Vector | None, Early, Near | None]":
        """The question's vector, what its words have brought, and what lies near where that had to be asked meanwhile.

        The words are given a moment, for what they bring is compared on the way; where they are slow, the rest goes on.
        """
        # Begun before everything else, for all the rest together takes less time.
        embedding = (
            None
            if self._sources.dense is None
            else asyncio.create_task(self._sources.dense.embedder.embed_query(searched))
        )
        asked = asyncio.create_task(
            self._in_one_go(gathering.early, legs, (WORDS, FACTS), otherwise=Early(), share=EARLY_SHARE)
        )
        try:
            vector, near = await _vector(embedding, legs), None
            if vector is not None and not asked.done():
                await asyncio.wait({asked}, timeout=_WORDS_HEAD_START_S)
                if not asked.done():
                    known = vector
                    near = await self._in_one_go(lambda: gathering.near(known), legs, (MEANING,), otherwise=Near())
            return vector, await asked, near
        finally:
            asked.cancel()
            if embedding is not None:
                embedding.cancel()

    async def _in_one_go(
        self,
        work: Callable[[], Coroutine[object, object, T]],
        legs: Legs,
        tiers: Sequence[str],
        *,
        otherwise: T,
        share: float = 1.0,
    ) -> T:
        """Do one part of a search; `otherwise` where the file gives no answer in that share of the time left."""
        if self._together is None:
            return await work()
        started, timeout_s = self._clock.monotonic(), share * legs.left_s
        try:
            return await self._together(work, timeout_s=timeout_s)
        except StoreError:
            now = self._clock.monotonic()
            legs.fail(tiers, late=now >= started + timeout_s, ms=(now - started) * 1000)
            return otherwise


async def _vector(embedding: "Awaitable[Vector] | None", legs: Legs) -> "Vector | None":
    """The question's vector. A model that takes too long leaves time for what is found without it."""
    if embedding is None:
        return None
    known = embedding
    return await legs.ask(MEANING, lambda: known, None, share=EARLY_SHARE)


async def _hits(
    gathering: Gathering, ranked: Sequence[Ranked], limit: int, budget_tokens: int | None
) -> tuple[RecallHit, ...]:
    """The best of these with their words, and with what is known by now."""
    candidates = [each.candidate for each in ranked]
    notes = await _read(gathering, candidates[:limit])
    passages = gathering.pool.passages
    if any(each.message_id not in passages for each in candidates[:limit]):
        notes = {**notes, **await _read(gathering, candidates[limit:])}
    return tuple(_within_budget(ranked, passages, notes, limit, budget_tokens))


async def _read(gathering: Gathering, candidates: Sequence[Candidate]) -> Mapping[MessageId, str]:
    """Get the words of these, and what is known by now beside those that do not hold any more."""
    ids = [each.message_id for each in candidates]
    _, notes = await all_of(gathering.read(ids), gathering.overtaken(candidates))
    return notes


class _Speakers:
    """The names of the voices in people's conversations, believed for a while."""

    def __init__(self, transcripts: Passages, clock: Clock, *, keep_s: float) -> None:
        self._transcripts = transcripts
        self._clock = clock
        self._keep_s = keep_s
        self._known: OrderedDict[UserId, tuple[float, Sequence[str]]] = OrderedDict()

    def known(self, user_id: UserId) -> Sequence[str] | None:
        """Without asking; None where nobody has asked lately."""
        known = self._known.get(user_id)
        return known[1] if known is not None and self._clock.monotonic() - known[0] < self._keep_s else None

    async def read(self, user_id: UserId) -> Sequence[str]:
        names = await self._transcripts.list_speakers(user_id)
        self._known[user_id] = (self._clock.monotonic(), names)
        self._known.move_to_end(user_id)
        while len(self._known) > _MOST_USERS:
            self._known.popitem(last=False)
        return names


def _within_budget(
    ranked: Sequence[Ranked],
    passages: Mapping[MessageId, Passage],
    notes: Mapping[MessageId, str],
    limit: int,
    budget_tokens: int | None,
) -> list[RecallHit]:
    """The best that may be recalled and fit; one that is too long for what is left ends the list."""
    hits: list[RecallHit] = []
    left = budget_tokens
    for r in ranked:
        message_id = r.candidate.message_id
        passage = passages.get(message_id)
        if passage is None:
            continue
        if left is not None:
            left -= len(passage.excerpt.text) // _CHARACTERS_PER_TOKEN + 1 + _TOKENS_OF_AN_ORIGIN
        if len(hits) == limit or (left is not None and left < 0):
            break
        note = notes.get(message_id, "")
        hits.append(RecallHit(excerpt=passage.excerpt, seq=passage.seq, parts=r.parts, overtaken=note))
    return hits
