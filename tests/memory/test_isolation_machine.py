"""Two people who say the same words and know the same names: neither is ever given anything of the other's.

They live in one file with twenty neighbours who say those words too. Everything that is made bears its owner's name in
its ids, so that one look at an answer tells whose it is. The normal run asks some hundred questions among 2,000
memories; at full length (`MAYA_TEST_FAULTS=full`) it is 10,000 questions among 100,000.
"""

import asyncio
import os
import random
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from maya_core.clock import SystemClock
from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, MemoryKind, Relation
from maya_core.memory.episodes import episode_id
from maya_core.memory.fact_search import FactSearch
from maya_core.memory.recall import Recall, RecallPolicy
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from tests.support.embedders import HashingEmbedder
from tests.support.histories import START, Past
from tests.support.town import settle

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
QUESTIONS = 10_000 if FULL else 300
NEIGHBOURS = 20
MEMORIES = 100_000 if FULL else 2_000
ASKED_TOGETHER = 10
ANN, BOB = 0, 1

NAMES = ("Pepper", "Lisbon", "Zoe", "garage", "bicycle")
WORDS = (*NAMES, "green", "parked", "yesterday", "level", "three", "silver", "bell", "lemons")

USERS = st.sampled_from([ANN, BOB])
"""Which of the two."""
CHATS = st.sampled_from(["a", "b", "c"])
SEEDS = st.integers(min_value=0, max_value=2**32)


class Neighbours(RuleBasedStateMachine):
    """Two who are new in the file each time; each question is put with the other's ids wherever ids can be given."""

    folder: Path
    asked = 0
    pairs = 0

    def __init__(self) -> None:
        super().__init__()
        Neighbours.pairs += 1
        self.users = [UserId(f"{name}{self.pairs}") for name in ("ann", "bob")]
        self.runner = asyncio.Runner()
        self.past = self.run(Past.begin(self.folder))
        self.graph = SqliteGraph(Database(self.folder / "maya.db"), clock=SystemClock())
        self.recall = Recall(
            transcripts=self.past.transcripts,
            vectors=self.past.vectors,
            embedder=self.past.embedder,
            facts=FactSearch(self.graph),
            clock=SystemClock(),
            policy=RecallPolicy(deadline_s=60.0),
        )
        self.messages: list[list[MessageId]] = [[], []]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @rule(who=USERS, chat=CHATS, seed=SEEDS, lines=st.integers(1, 3), embed=st.booleans())
    def say(self, who: int, chat: str, seed: int, lines: int, embed: bool) -> None:
        user, chance = self.users[who], random.Random(seed)
        said = [f"{chance.choice(['I', 'Maya'])}: {_sentence(chance)}" for _ in range(lines)]
        stored = self.run(self.past.chat(user, f"{user}-{chat}", *said, embed=embed))
        self.messages[who] += [message.id for message in stored]

    @rule(who=USERS, seed=SEEDS)
    def learn(self, who: int, seed: int) -> None:
        if not self.messages[who]:
            return
        user, chance = self.users[who], random.Random(seed)
        one, other = chance.sample(NAMES, 2)
        entities = [
            Entity(id=EntityId(f"{user}-{name}"), name=name, kind=EntityKind.THING, aliases=(name[:4],))
            for name in (one, other)
        ]
        fact = Fact(
            id=FactId(f"{user}-{one}-{other}"),
            subject=entities[0].id,
            relation=Relation.RELATED_TO,
            label="goes with",
            object=entities[1].id,
            speaker="You",
            confidence=0.9,
            origin=FactOrigin.STATED,
            evidence=(chance.choice(self.messages[who]),),
            valid_from=None,
            valid_to=None,
            recorded_at=START,
        )
        self.run(self.graph.put(user, entities=entities, facts=[fact]))

    @rule(who=USERS, seed=SEEDS)
    def forget(self, who: int, seed: int) -> None:
        if self.messages[who]:
            self.run(self.past.episodes.forget(self.users[who], [random.Random(seed).choice(self.messages[who])]))

    @rule(who=USERS, seed=SEEDS)
    def ask(self, who: int, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(ASKED_TOGETHER):
            self.run(self._ask(who, _sentence(chance)))
            Neighbours.asked += 1

    async def _ask(self, who: int, text: str) -> None:
        user, other = self.users[who], self.users[1 - who]
        past, theirs = self.past, self.messages[1 - who][-20:]
        vectors_of_theirs = [episode_id(id, model=past.embedder.model) for id in theirs]
        vector = await past.embedder.embed_query(text)
        near = await past.vectors.search(user, vector, kinds=tuple(MemoryKind), limit=50, also=vectors_of_theirs)
        near += await past.vectors.compare(user, vector, vectors_of_theirs)
        _only(user, (id for hit in near for id in hit.ref.message_ids))
        _only(user, (id for item in await past.vectors.fetch(user, vectors_of_theirs) for id in item.ref.message_ids))
        _only(user, (match.message_id for match in await past.transcripts.match_words(user, text)))
        _only(user, (hit.excerpt.message_id for hit in await past.transcripts.search(user, text)))
        _only(user, (p.excerpt.message_id for p in await past.transcripts.list_passages(user, theirs)))
        found = await self.graph.find_entities(user, NAMES)
        hoods = [await self.graph.neighbourhood(user, entity.id, hops=2) for entity in found]
        _only(user, (entity.id for entity in found))
        _only(user, (entity.id for hood in hoods for entity in hood.entities))
        _only(user, (fact.id for hood in hoods for fact in hood.facts))
        _only(user, (fact.id for fact in await self.graph.facts_from(user, theirs)))
        recalled = await self.recall.search(user, text, exclude=ConversationId(f"{other}-a"))
        _only(user, (hit.excerpt.message_id for hit in recalled.hits))
        _only(user, (hit.fact.id for hit in recalled.facts))

    def teardown(self) -> None:
        self.run(self.graph.close())
        self.run(self.past.close())
        self.runner.close()


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(2, 6))) + chance.choice([".", "?"])


def _only(user: UserId, ids: Iterable[str]) -> None:
    others = [id for id in ids if not id.startswith(f"{user}-")]
    assert not others, f"{user} was given {others}"


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_nothing_of_another_person_is_found_by_vectors_words_graph_or_recall(tmp_path: Path) -> None:
    chance = random.Random(20261201)
    texts = [_sentence(chance) for _ in range(500)]
    each = MEMORIES // NEIGHBOURS
    asyncio.run(settle(tmp_path, people=NEIGHBOURS, each=each, texts=texts, embedder=HashingEmbedder()))
    chosen = settings(
        max_examples=20 if FULL else 4,
        stateful_step_count=50 if FULL else 30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Neighbours.folder, Neighbours.asked = tmp_path, 0
    while Neighbours.asked < QUESTIONS:
        run_state_machine_as_test(Neighbours, settings=chosen)  # type: ignore[no-untyped-call,unused-ignore]
    assert Neighbours.asked >= QUESTIONS
