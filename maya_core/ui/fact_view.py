"""A fact as a person reads it: the sentence, since when, who said so, how sure, and where it was said. Pure."""

from collections.abc import Sequence

from maya_core.domain.conversation import Excerpt
from maya_core.domain.memory import Fact, FactOrigin
from maya_core.memory.explorer import Evidence, KnownFact
from maya_core.ui import words
from maya_core.ui.markup import Node, el, icon
from maya_core.ui.reading import Reading

MENU = "edit=Edit|wrong=Wrong|out_of_date=Out of date|forget=Forget"
"""What can be done with a fact that is held true."""

PAST_MENU = "forget=Forget"
"""What can be done with one that is not any more."""

_SHORT = 160


def fact_card(known: KnownFact, evidence: Evidence | None, reading: Reading, *, used: int | None = None) -> Node:
    """One fact with its menu. Presses: the menu's names with the fact's id, `source` with "chat message"."""
    fact = known.fact
    held = fact.current(reading.now)
    return el(
        "li",
        el(
            "span",
            el("bdi", known.sentence, class_="sentence"),
            menu(known, reading),
            class_="claim",
        ),
        el("span", *_between(meta(known, reading, used=used)), class_="meta"),
        _sources(evidence, reading),
        class_="fact" if held else "fact past",
        key=fact.id,
    )


def meta(known: KnownFact, reading: Reading, *, used: int | None = None) -> list[Node]:
    """Since when, from whom, how sure, how often it was used."""
    fact = known.fact
    found: list[Node] = [el("time", since(fact, reading), title=_exactly(fact, reading))]
    if (ended := until(fact, reading)) is not None:
        found.append(el("span", ended, class_="ended"))
    found.append(el("span", origin(fact), dir="auto"))
    found.append(el("span", f"{fact.confidence:.0%} sure", class_="figure"))
    if used is not None:
        found.append(el("span", words.count(used, "use"), class_="figure"))
    return found


def since(fact: Fact, reading: Reading) -> str:
    """ "since 3 Nov" where the person said when it began, else when Maya noted it."""
    if fact.valid_from is not None and fact.valid_from < fact.recorded_at:
        return f"since {words.day(fact.valid_from, now=reading.now, zone=reading.zone)}"
    return f"noted {words.day(fact.recorded_at, now=reading.now, zone=reading.zone)}"


def until(fact: Fact, reading: Reading) -> str | None:
    """Why it is not held true any more, or until when it will be."""
    if fact.superseded_by is not None:
        return "replaced by a newer one"
    if fact.retracted_at is not None:
        return f"taken back {words.day(fact.retracted_at, now=reading.now, zone=reading.zone)}"
    if fact.valid_to is not None:
        return f"until {words.day(fact.valid_to, now=reading.now, zone=reading.zone)}"
    return None


def origin(fact: Fact) -> str:
    """Who said so."""
    match fact.origin:
        case FactOrigin.CORRECTED:
            return "corrected by you"
        case FactOrigin.IMPORTED:
            return "imported"
        case FactOrigin.STATED:
            return "said by you" if fact.speaker.casefold() in {"you", "user"} else f"said by {fact.speaker}"


def menu(known: KnownFact, reading: Reading) -> Node:
    """The button with what can be done with a fact."""
    held = known.fact.current(reading.now)
    return el(
        "button",
        icon("more_horiz"),
        class_="quiet",
        menu=MENU if held else PAST_MENU,
        to=known.fact.id,
        label=f"Change: {known.sentence[:_SHORT]}",
        title="Edit, wrong, out of date, forget" if held else "Forget",
    )


def _sources(evidence: Evidence | None, reading: Reading) -> Node:
    if evidence is None:
        return ""
    nodes: list[Node] = [_source(excerpt, reading) for excerpt in evidence.excerpts]
    if evidence.gone:
        nodes.append(el("li", f"{words.count(evidence.gone, 'message')} cannot be shown any more.", class_="note"))
    return el("ul", *nodes, class_="sources") if nodes else ""


def _source(excerpt: Excerpt, reading: Reading) -> Node:
    text = " ".join(excerpt.text.split())
    return el(
        "li",
        el(
            "a",
            el("span", f"“{text[:_SHORT]}{'…' if len(text) > _SHORT else ''}”", dir="auto", class_="said"),
            el(
                "span",
                el("bdi", excerpt.conversation_title),
                ", ",
                words.day(excerpt.said_at, now=reading.now, zone=reading.zone),
                " →",
                class_="where",
            ),
            href=f"?chat={excerpt.conversation_id}",
            act="source",
            to=f"{excerpt.conversation_id} {excerpt.message_id}",
            title="Open this message in its chat",
        ),
    )


def _exactly(fact: Fact, reading: Reading) -> str:
    return f"Noted {words.exact(fact.recorded_at, zone=reading.zone)}"


def _between(nodes: Sequence[Node]) -> list[Node]:
    """With a dot between each two."""
    return [piece for node in nodes for piece in (" · ", node)][1:]
