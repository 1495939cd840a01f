"""The query bench: what a sentence finds, leg by leg and together, what a model would be given, and where it lies."""

from collections.abc import Sequence

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.prompt import shorten
from maya_core.domain.conversation import Excerpt, TierOutcome, TierUse
from maya_core.memory.bench import SENTENCE_CHARACTERS, FusedHit, Given, LegHit, Trial
from maya_core.memory.fact_search import FactHit
from maya_core.memory.ranking import ScoreParts
from maya_core.ui import words
from maya_core.ui.boundary import attempt, guarded, refusal_view
from maya_core.ui.markup import Node, el
from maya_core.ui.memory_acts import lead
from maya_core.ui.memory_map import map_of
from maya_core.ui.reading import Reading
from maya_core.ui.receipt_view import origin
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_WITHIN_S = 15.0
_EXCERPT_CHARACTERS = 180
_SHOWN = 10
_PARTS = (
    ("dense", "meaning"),
    ("keyword", "words"),
    ("neighbour", "neighbours"),
    ("prior", "voice"),
    ("chat", "its chat"),
    ("graph", "graph"),
)
_LEGS = {"words": "keywords", "facts": "graph"}
"""What a column is called that shows what a tier found."""
_NOT_OK = {
    TierOutcome.LATE: "answered too late and was left out",
    TierOutcome.DOWN: "did not answer",
    TierOutcome.SKIPPED: "was not asked: nothing for it is set up",
}


def bench_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """A line for a sentence, and what it finds."""
    words_column, day_column = st.columns([4, 1], vertical_alignment="bottom")
    sentence = words_column.text_input(
        "A sentence",
        key="bench_sentence",
        placeholder="What did we decide about the venue?",
        max_chars=SENTENCE_CHARACTERS,
        help="Recall runs as it would for a reply. Nothing is stored and no model is asked.",
    )
    day = day_column.date_input(
        "Facts as of",
        value=None,
        max_value=reading.now.astimezone(reading.zone).date(),
        key="bench_as_of",
        help="Facts as Maya knew them at the end of that day; today without one. A reply always gets those of today.",
    )
    if not sentence.strip():
        view([_empty()], key="bench")
        map_of(maya, user, reading, sentence="")
        return
    trial, problem = attempt(
        lambda: maya.engine.run(
            maya.container.views.bench.run(user, sentence, at=reading.end_of(day)), timeout_s=_WITHIN_S
        )
    )
    if trial is None:
        view([refusal_view(problem)], key="bench")
        return
    view(
        [_tiers(trial), _columns(trial, reading), _given(trial.given)],
        key="bench",
        on_act=guarded(lambda act: lead(maya, user, act)),
    )
    map_of(maya, user, reading, sentence=sentence)


def _empty() -> Node:
    sentence = (
        "Type a sentence to see what Maya would find for it: by its words, by its meaning, through the graph, and "
        "put together, with what each score is made of."
    )
    return el("p", sentence, class_="empty", key="empty")


def _tiers(trial: Trial) -> Node:
    """How long each leg took; one that brought nothing because it could not be asked is named."""
    return el("p", *_joined([_tier(use) for use in trial.tiers]), class_="note tiers", key="tiers")


def _tier(use: TierUse) -> Node:
    leg = _LEGS.get(use.tier, use.tier)
    if use.outcome is TierOutcome.OK:
        return el("span", f"{leg} {words.length(use.ms)}")
    return el("span", f"{leg} {_NOT_OK[use.outcome]}", class_="warn")


def _columns(trial: Trial, reading: Reading) -> Node:
    graph = [*(_fact(fact) for fact in trial.facts), *(_leg(hit, reading, "fit") for hit in trial.evidence)]
    return el(
        "div",
        _column("Keywords", [_leg(hit, reading, "words") for hit in trial.words], "No message holds these words."),
        _column("Meaning", [_leg(hit, reading, "cosine") for hit in trial.meaning], "Nothing was found by meaning."),
        _column("Graph", graph, "No fact bears on it."),
        _column(
            "Together",
            [_fused(number, hit, reading) for number, hit in enumerate(trial.together[:_SHOWN], start=1)],
            "Nothing was found.",
        ),
        class_="columns",
        key="columns",
    )


def _column(title: str, rows: Sequence[Node], nothing: str) -> Node:
    content = el("ol", *rows) if rows else el("p", nothing, class_="note")
    return el("section", el("h3", title, el("span", f" {len(rows)}", class_="figure")), content, label=title)


def _leg(hit: LegHit, reading: Reading, measure: str) -> Node:
    score = f"{measure} {hit.score:.2f}"
    place = f"place {hit.place} together" if hit.place else "not among the first 20 together"
    return el(
        "li",
        _excerpt(hit.excerpt),
        el("p", origin(hit.excerpt, reading), class_="from"),
        el("p", f"{score} · {place}", class_="figure"),
    )


def _fact(hit: FactHit) -> Node:
    source = (
        el("button", "Where it was said", class_="link", act="open_source", to=hit.fact.evidence[0])
        if hit.fact.evidence
        else el("span", "no message is known for it", class_="figure")
    )
    return el(
        "li",
        el("p", el("bdi", hit.sentence), class_="excerpt"),
        el("p", source, class_="from"),
        el("p", f"fact · {_why(hit)}", class_="figure"),
    )


def _why(hit: FactHit) -> str:
    """Why a fact was found."""
    asked = ["it is asked for"] if hit.asked else []
    close = [f"cosine {hit.close:.2f}"] if hit.close else []
    return " · ".join([f"share of words {hit.words:.2f}", *asked, *close])


def _fused(number: int, hit: FusedHit, reading: Reading) -> Node:
    chip = (
        el("span", "given to the model", class_="chip strong") if hit.given else el("span", "not given", class_="chip")
    )
    return el(
        "li",
        _excerpt(hit.excerpt),
        el("p", origin(hit.excerpt, reading), class_="from"),
        el("p", el("bdi", hit.overtaken), class_="note") if hit.overtaken else "",
        _parts(hit.parts),
        el("p", chip, el("span", f" {hit.parts.total:+.2f}", class_="figure", title=f"Place {number}")),
    )


def _parts(parts: ScoreParts) -> Node:
    """Each part that counts as a bar; one that takes away says so."""
    values = [(label, float(getattr(parts, name))) for name, label in _PARTS]
    most = max((abs(value) for _, value in values), default=0.0) or 1.0
    rows = [
        el(
            "li",
            el("span", label, class_="what"),
            el("span", class_="bar" if value >= 0 else "bar less", width=str(round(100 * abs(value) / most))),
            el("span", f"{value:+.2f}", class_="figure"),
        )
        for label, value in values
        if abs(value) >= 0.005
    ]
    return el("ul", *rows, class_="parts", label="What the score is made of")


def _excerpt(excerpt: Excerpt) -> Node:
    text = shorten(" ".join(excerpt.text.split()), _EXCERPT_CHARACTERS)
    return el("p", text, class_="excerpt", dir="auto")


def _given(given: Given) -> Node:
    told = (
        f"{words.count(given.passages, 'passage')} and {words.count(len(given.facts), 'fact')}, "
        f"about {given.tokens:,} tokens with the instructions"
    )
    return el(
        "details",
        el("summary", el("strong", "What a model would be given"), el("span", f" {told}", class_="figure")),
        el("pre", given.text, class_="given", dir="auto"),
        class_="given-to-model",
        key="given",
    )


def _joined(nodes: Sequence[Node]) -> list[Node]:
    return [piece for node in nodes for piece in (" · ", node)][1:]
