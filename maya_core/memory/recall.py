"""Recall: what the person and Maya said before that bears on a question, in one order, in time.

Three legs are asked at once: words (transcripts), meaning (embedder and vectors) and facts (graph). What is late or
down is reported with the result and never raised. What comes back is data: quoted, with origin and date.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from maya_core.clock import Clock
from maya_core.domain.conversation import ConversationId, Excerpt, MessageId, Passage, Role, TierUse, UserId, WordMatch
from maya_core.domain.memory import MemoryKind
from maya_core.embeddings.port import Embedder
from maya_core.memory.episodes import episode_id
from maya_core.memory.fact_search import CLOSE_AT_MOST, FactHit, FactSearch, best, evidence
from maya_core.memory.legs import Legs
from maya_core.memory.pool import Pool
from maya_core.memory.question import Question, understand
from maya_core.memory.ranking import Candidate, Ranked, ScoreParts, Weights, rank
from maya_core.stores.transcripts.port import Passages
from maya_core.stores.vectors.port import NOTHING_BESIDE, VectorHit, Vectors

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector

WORDS = "words"
MEANING = "meaning"
FACTS = "facts"

Watch = Callable[[Sequence[Candidate]], None]
"""Told everything that the legs brought, before it is put in order."""

_CHARACTERS_PER_TOKEN = 4
_TOKENS_OF_AN_ORIGIN = 20
_ROOM_FOR_HIDDEN = 2
_MOST_USERS = 1_000
_WORDS_HEAD_START_S = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallPolicy:
    """Limits of one recall.

    Attributes:
        deadline_s: for everything together.
        by_meaning, by_words: the most candidates that a leg may bring.
        speakers_s: how long the names of a person's voices are believed without looking again.
    """

    deadline_s: float = 0.8
    by_meaning: int = 80
    by_words: int = 60
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
    """Searches one person's own past. A leg without its store is reported as skipped."""

    def __init__(
        self,
        *,
        transcripts: Passages,
        clock: Clock,
        vectors: Vectors | None = None,
        embedder: Embedder | None = None,
        facts: FactSearch | None = None,
        policy: RecallPolicy | None = None,
    ) -> None:
        self._transcripts = transcripts
        self._clock = clock
        self._dense = None if vectors is None or embedder is None else _Dense(embedder, vectors)
        self._facts = facts
        self._policy = policy or RecallPolicy()
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
        `watch` is told what was ranked. Facts are those of the moment `at`, now for None. Never raises for a store
        that is slow or down.
        """
        moment = at or self._clock.now()
        legs = Legs(self._clock, deadline_s=self._policy.deadline_s)
        question = understand(text, speakers=await legs.quietly(lambda: self._speakers.of(user_id), ()))
        # Begun before everything else, for all the rest together takes less time.
        embedding = None if self._dense is None else asyncio.create_task(self._dense.embed(question.searched))
        pool, facts = await self._gather(user_id, question, exclude, legs, embedding=embedding, at=moment)
        candidates = pool.candidates(exclude=exclude)
        if watch is not None:
            watch(candidates)
        ranked = rank(
            candidates,
            question,
            is_own=lambda ref: ref.role is Role.USER and (not own_names or ref.speaker in own_names),
            most=_ROOM_FOR_HIDDEN * limit,
            weights=self._policy.weights,
        )
        _, notes = await asyncio.gather(
            self._read(user_id, [r.candidate.message_id for r in ranked[:limit]], pool, legs),
            self._overtaken(user_id, [r.candidate for r in ranked], legs, at=moment),
        )
        if any(r.candidate.message_id not in pool.passages for r in ranked[:limit]):
            await self._read(user_id, [r.candidate.message_id for r in ranked[limit:]], pool, legs)
        hits = _within_budget(ranked, pool.passages, notes, limit, budget_tokens)
        return Recalled(hits=tuple(hits), facts=tuple(facts), tiers=legs.tiers)

    async def _gather(
        self,
        user_id: UserId,
        question: Question,
        exclude: ConversationId | None,
        legs: Legs,
        *,
        embedding: "asyncio.Task[Vector] | None",
        at: datetime,
    ) -> tuple[Pool, Sequence[FactHit]]:
        """Ask all legs, then fill in what one of them brought and another would have to say something about."""
        pool = Pool()
        async with asyncio.TaskGroup() as asked:
            by_words = asked.create_task(self._by_words(user_id, question, exclude, pool, legs))
            by_meaning = asked.create_task(
                self._by_meaning(user_id, exclude, pool, legs, embedding=embedding, by_words=by_words)
            )
            by_facts = asked.create_task(self._by_facts(user_id, question, legs, at=at))
        vector, close = by_meaning.result()
        facts = await self._with_close(user_id, question, by_facts.result(), close, legs, at=at)
        pool.add_evidence(evidence(facts))
        if self._dense is not None and vector is not None and pool.unmeasured:
            dense, known = self._dense, vector
            pool.add_vectors(await legs.ask(MEANING, lambda: dense.compare(user_id, known, pool.unmeasured), []))
        await self._read(user_id, pool.unplaced, pool, legs)
        return pool, facts

    async def _by_words(
        self, user_id: UserId, question: Question, exclude: ConversationId | None, pool: Pool, legs: Legs
    ) -> None:
        most = self._policy.by_words
        found: Sequence[WordMatch] = await legs.ask(
            WORDS, lambda: self._transcripts.match_words(user_id, question.text, limit=most, exclude=exclude), []
        )
        legs.found(WORDS, len(found))
        pool.add_matches(found)

    async def _by_meaning(
        self,
        user_id: UserId,
        exclude: ConversationId | None,
        pool: Pool,
        legs: Legs,
        *,
        embedding: "asyncio.Task[Vector] | None",
        by_words: asyncio.Task[None],
    ) -> "tuple[Vector | None, list[VectorHit]]":
        """The question's own vector and the facts close to it, once the messages close to it are in the pool."""
        if self._dense is None or embedding is None:
            legs.skip(MEANING)
            return None, []
        dense, most = self._dense, self._policy.by_meaning

        async def search() -> "tuple[Vector, list[VectorHit]]":
            vector = await embedding
            # What the words have brought is compared on the way; they are not waited for when they are slow.
            if not by_words.done():
                await asyncio.wait({by_words}, timeout=_WORDS_HEAD_START_S)
            facts = 0 if self._facts is None else CLOSE_AT_MOST
            found, close = await dense.search(
                user_id, vector, limit=most, exclude=exclude, also=pool.unmeasured, facts=facts
            )
            legs.found(MEANING, len(found))
            pool.add_vectors(found)
            return vector, close

        return await legs.ask(MEANING, search, (None, []))

    async def _by_facts(self, user_id: UserId, question: Question, legs: Legs, *, at: datetime) -> Sequence[FactHit]:
        if self._facts is None:
            legs.skip(FACTS)
            return []
        facts = self._facts
        return await legs.ask(FACTS, lambda: facts.about(user_id, question, at=at), [])

    async def _with_close(
        self,
        user_id: UserId,
        question: Question,
        known: Sequence[FactHit],
        close: Sequence[VectorHit],
        legs: Legs,
        *,
        at: datetime,
    ) -> Sequence[FactHit]:
        """The best of the facts that are known and of those close in meaning."""
        if self._facts is None:
            return []
        facts = self._facts
        if close:
            known = await legs.ask(FACTS, lambda: facts.with_close(user_id, question, known, close, at=at), known)
        found = best(known)
        legs.found(FACTS, len(found))
        return found

    async def _overtaken(
        self, user_id: UserId, candidates: Sequence[Candidate], legs: Legs, *, at: datetime
    ) -> Mapping[MessageId, str]:
        """What is known by now beside messages that do not hold any more."""
        none: Mapping[MessageId, str] = {}
        if self._facts is None or not candidates:
            return none
        facts, said = self._facts, {each.message_id: each.ref.said_at for each in candidates}
        return await legs.ask(FACTS, lambda: facts.overtaken(user_id, said, at=at), none)

    async def _read(self, user_id: UserId, message_ids: Sequence[MessageId], pool: Pool, legs: Legs) -> None:
        """Get the words of messages. What may not be recalled any more has none, and is left out later."""
        unread = [message_id for message_id in message_ids if message_id not in pool.passages]
        if unread:
            pool.add_passages(await legs.ask(WORDS, lambda: self._transcripts.list_passages(user_id, unread), []))


class _Dense:
    """Search by meaning: an embedder and the vectors that it made."""

    def __init__(self, embedder: Embedder, vectors: Vectors) -> None:
        self._embedder = embedder
        self._vectors = vectors

    async def embed(self, text: str) -> "Vector":
        return await self._embedder.embed_query(text)

    async def search(
        self,
        user_id: UserId,
        vector: "Vector",
        *,
        limit: int,
        exclude: ConversationId | None,
        also: Sequence[MessageId],
        facts: int,
    ) -> tuple[list[VectorHit], list[VectorHit]]:
        """The closest messages, and these others however far they are; and so many of the closest facts."""
        found = await self._vectors.search(
            user_id,
            vector,
            kinds=(MemoryKind.EPISODE,),
            limit=limit,
            exclude=exclude,
            also=self._ids(also),
            beside={MemoryKind.FACT: facts} if facts else NOTHING_BESIDE,
        )
        messages = [hit for hit in found if hit.ref.kind is not MemoryKind.FACT]
        return messages, found[len(messages) :]

    async def compare(self, user_id: UserId, vector: "Vector", message_ids: Sequence[MessageId]) -> list[VectorHit]:
        """How close these messages are."""
        return await self._vectors.compare(user_id, vector, self._ids(message_ids))

    def _ids(self, message_ids: Sequence[MessageId]) -> list[str]:
        return [episode_id(message_id, model=self._embedder.model) for message_id in message_ids]


class _Speakers:
    """The names of the voices in people's conversations, believed for a while."""

    def __init__(self, transcripts: Passages, clock: Clock, *, keep_s: float) -> None:
        self._transcripts = transcripts
        self._clock = clock
        self._keep_s = keep_s
        self._known: OrderedDict[UserId, tuple[float, Sequence[str]]] = OrderedDict()

    async def of(self, user_id: UserId) -> Sequence[str]:
        known = self._known.get(user_id)
        if known is not None and self._clock.monotonic() - known[0] < self._keep_s:
            return known[1]
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
