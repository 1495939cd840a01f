"""The facts tab: everything that is held true, as sentences."""

from maya_core.accounts.access import User
from maya_core.domain.memory import FactQuery
from maya_core.memory.explorer import KnownFact
from maya_core.ui import words
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_WITHIN_S = 10.0


def facts_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """The newest facts."""
    explorer = maya.container.memory.explorer
    page = maya.engine.run(explorer.list_facts(user.id, FactQuery()), timeout_s=_WITHIN_S)
    if not page.facts:
        sentence = "Nothing is remembered yet. Chat with Maya, and what you state about yourself is kept here."
        view([el("p", sentence, class_="empty", key="empty")], key="facts")
        return
    view([el("ul", *[_row(known, reading) for known in page.facts], class_="facts", key="facts")], key="facts")


def _row(known: KnownFact, reading: Reading) -> Node:
    since = words.day(known.fact.recorded_at, now=reading.now, zone=reading.zone)
    return el("li", el("bdi", known.sentence), el("span", f"since {since}", class_="figure"), key=known.fact.id)
