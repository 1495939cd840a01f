"""Are the facts given that a question asks for? Maya's own recall over its own embedded stores.

    python -m benchmarks.facts --cases tests/memory/cases/facts_first_person.jsonl [--json]

Each case is a person with facts, as if written down by hand, so that no message can lead to them, and questions with
the sentences that are wanted, none for a question that has nothing to do with them. Cases are JSON lines:
id, facts [{subject, relation, object, label}], questions [{q, wanted [sentence]}].
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.report import print_figures, print_json
from benchmarks.seeding import a_fact, fact_item, the_person
from maya_core.clock import SystemClock
from maya_core.domain.conversation import UserId
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    FactOrigin,
    Relation,
)
from maya_core.embeddings.minilm import MiniLmEmbedder
from maya_core.embeddings.port import Embedder
from maya_core.memory.fact_search import FactSearch
from maya_core.memory.fact_sentences import written_out
from maya_core.memory.recall import Recall, RecallPolicy
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.vectors.sqlite import SqliteVectors

WANTED = {"found": ">= 0.9", "first": ">= 0.75", "needless": "as it is"}
PATIENT_S = 60.0
_NOTED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A fact of a case; "you" is the person."""

    subject: str
    relation: Relation
    object: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question with the sentences that it asks for."""

    text: str
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A case."""

    id: UserId
    facts: tuple[Noted, ...]
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was given for a question, best first, and in what time."""

    asked: Asked
    given: tuple[str, ...]
    ms: float


def load(path: Path) -> list[Person]:
    """The people of a file."""
    return [_person(json.loads(line)) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _person(item: dict[str, object]) -> Person:
    facts, questions = item["facts"], item["questions"]
    if not isinstance(facts, list) or not isinstance(questions, list):
        raise SystemExit("a case has a list of facts and a list of questions")
    return Person(
        id=UserId(str(item["id"])),
        facts=tuple(
            Noted(subject=f["subject"], relation=Relation(f["relation"]), object=f["object"], label=f.get("label", ""))
            for f in facts
        ),
        questions=tuple(Asked(text=q["q"], wanted=tuple(q["wanted"])) for q in questions),
    )


async def ask(people: Sequence[Person], embedder: Embedder | None) -> list[Answer]:
    """Every question once; without an embedder by words and relations alone."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "maya.db")
        transcripts, graph = await SqliteTranscripts.open(database), await SqliteGraph.open(database)
        model, dimension = (embedder.model, embedder.dimension) if embedder else ("none", 1)
        vectors = await SqliteVectors.open(database, model=model, dimension=dimension)
        recall = Recall(
            transcripts=transcripts,
            vectors=vectors,
            embedder=embedder,
            facts=FactSearch(graph),
            clock=SystemClock(),
            together=database.together,
            policy=RecallPolicy(deadline_s=PATIENT_S),
        )
        answers = []
        for person in people:
            await _note(person, graph, vectors, embedder)
            for asked in person.questions:
                started = time.perf_counter()
                found = await recall.search(person.id, asked.text, limit=10)
                ms = (time.perf_counter() - started) * 1000
                answers.append(Answer(asked=asked, given=tuple(fact.sentence for fact in found.facts), ms=ms))
        await database.close()
    return answers


async def _note(person: Person, graph: SqliteGraph, vectors: SqliteVectors, embedder: Embedder | None) -> None:
    """Facts and their vectors as a person's own changes leave them."""
    own = the_person(person.id)
    names = dict.fromkeys(name for f in person.facts for name in (f.subject, f.object) if name != "you")
    entities = [Entity(id=EntityId(f"e-{name}"), name=name, kind=EntityKind.THING) for name in names]
    ids = {entity.name: entity.id for entity in entities} | {"you": own.id}
    facts = [
        a_fact(
            f"{person.id}-{number}", ids[f.subject], f.relation, ids[f.object], at=_NOTED, label=f.label,
            speaker="you", confidence=1.0, origin=FactOrigin.CORRECTED,
        )
        for number, f in enumerate(person.facts)
    ]  # fmt: skip
    await graph.put(person.id, entities=[own, *entities], facts=facts)
    if embedder is None:
        return
    texts = [
        written_out(f.relation, f.label, "user" if f.subject == "you" else f.subject, f.object) for f in person.facts
    ]
    rows = await embedder.embed_texts(texts)
    items = [fact_item(fact, row, model=embedder.model) for fact, row in zip(facts, rows, strict=True)]
    await vectors.put(person.id, items)


def figures_of(answers: Sequence[Answer]) -> dict[str, float]:
    """How much of what is wanted is given, how often it comes first, and what is given where nothing is wanted."""
    answered = [answer for answer in answers if answer.asked.wanted]
    others = [answer for answer in answers if not answer.asked.wanted]
    return {
        "found": statistics.fmean(_share(answer) for answer in answered),
        "first": statistics.fmean(_leads(answer) for answer in answered),
        "given": statistics.fmean(len(answer.given) for answer in answered),
        "needless": statistics.fmean(len(answer.given) for answer in others),
        "search_ms_p50": statistics.median(answer.ms for answer in answers),
        "questions": float(len(answers)),
    }


def _share(answer: Answer) -> float:
    return len(set(answer.asked.wanted) & set(answer.given)) / len(answer.asked.wanted)


def _leads(answer: Answer) -> bool:
    return bool(answer.given) and answer.given[0] in answer.asked.wanted


async def measure(people: Sequence[Person]) -> tuple[dict[str, float], list[Answer]]:
    model = MiniLmEmbedder()
    model.warm()
    answers, by_words = await ask(people, model), await ask(people, None)
    await model.close()
    return figures_of(answers) | {"found_without_meaning": figures_of(by_words)["found"]}, answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="people with facts and questions, as JSON lines")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    figures, answers = asyncio.run(measure(load(chosen.cases)))
    if chosen.json:
        print_json("facts", figures=figures, peers={}, method="all-MiniLM-L6-v2 on one thread, SQLite, at most 8 facts")
        return
    for answer in answers:
        if not set(answer.asked.wanted) <= set(answer.given):
            print(f"{answer.asked.text}  wanted {list(answer.asked.wanted)}, given {list(answer.given)}")
    print_figures(figures, wanted=WANTED)


if __name__ == "__main__":
    main()
