"""The live part of the providers page as trees: providers, stores and workers, and what still works.

Every row is always there and has one fixed height, so that nothing moves under a pointer when something fails.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from maya_core.domain.calls import STRIP, Outcome
from maya_core.domain.health import PartSeen
from maya_core.domain.orders import Order, OrderKind
from maya_core.domain.quality import QualityFigures
from maya_core.health.snapshot import BEHIND_S, HealthSnapshot, ProviderHealth
from maya_core.health.still_works import How, how_long, still_works
from maya_core.jobs.port import WorkerSeen
from maya_core.ui import words
from maya_core.ui.health_words import FAILURES, age, allowance, provider_state, share, soon, took
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading

_MARKS = {How.WORKS: "well", How.LESS: "less", How.NOT: "down"}
_WORDS = {How.WORKS: "works", How.LESS: "less", How.NOT: "not now"}
_UNKNOWN = ("UNKNOWN", "less")
_WORKERS_SHOWN = 5


def importance(snapshot: HealthSnapshot, reading: Reading) -> list[str]:
    """The circuits' names, those first that ask for attention, then as they are asked."""
    ranked = sorted(snapshot.providers, key=lambda p: provider_state(p, snapshot, reading).rank)
    return [provider.circuit.name for provider in ranked]


def providers_view(snapshot: HealthSnapshot, order: Sequence[str], opened: str, reading: Reading) -> Node:
    """One row a provider, in the order that the page was opened with."""
    places = {name: place for place, name in enumerate(order)}
    rows = sorted(snapshot.providers, key=lambda p: places.get(p.circuit.name, len(places)))
    return el(
        "section",
        el("h2", "Who answers", el("span", _fresh(snapshot), class_="fresh")),
        el("ul", *[_provider(p, snapshot, opened, reading) for p in rows], class_="health"),
        key="providers",
    )


def _fresh(snapshot: HealthSnapshot) -> str:
    """Where the figures come from, when it is not as usual."""
    if snapshot.providers and not snapshot.providers[0].breaker.shared:
        return "as this process alone sees it: fast memory is away"
    if snapshot.history_at is None or (snapshot.taken_at - snapshot.history_at).total_seconds() > 10:
        return "the history of calls cannot be read now"
    return "figures of the last 24 hours"


def _provider(provider: ProviderHealth, snapshot: HealthSnapshot, opened: str, reading: Reading) -> Node:
    state = provider_state(provider, snapshot, reading)
    name = provider.circuit.name
    first, _ = provider.first_text_ms
    slow = took(provider.first_text_ms[1])
    return el(
        "li",
        el(
            "button",
            el("span", el("strong", provider.label), el("span", provider.circuit.model, class_="model"), class_="name"),
            _state(state.word, state.mark),
            el("span", state.sentence, class_="why", title=state.sentence),
            _strip(provider.strip.recent, snapshot),
            el("span", share(provider.day.success), class_="figure", title=_calls(provider)),
            el("span", f"p50 {took(first)}", class_="figure wide", title=f"first words: p50 {took(first)}, p95 {slow}"),
            class_="row",
            act="open",
            to=name,
            pressed="true" if name == opened else "",
            label=f"{provider.label}: {state.word.lower()}, {state.sentence}. History, errors and keys.",
        ),
        key=name,
        class_=state.mark,
    )


def _calls(provider: ProviderHealth) -> str:
    day = provider.day
    parts = [words.count(day.calls, "call"), f"{day.answered:,} answered"]
    if day.fallbacks:
        parts.append(f"{day.fallbacks:,} in another's place")
    return ", ".join(parts) + " in the last 24 hours"


def _state(word: str, mark: str) -> Node:
    return el("span", el("i", class_=f"mark {mark}", hidden="true"), word, class_="state")


def _strip(recent: Sequence[Outcome], snapshot: HealthSnapshot) -> Node:
    """The last outcomes, the newest at the end; free places stand at the beginning."""
    shown = recent[-STRIP:]
    good = sum(outcome.kind is None for outcome in shown)
    free = [el("i", class_="none", key=f"n{n}") for n in range(STRIP - len(shown))]
    dots = [
        el(
            "i",
            class_="good" if outcome.kind is None else "bad",
            title=_outcome(outcome, snapshot),
            key=f"{outcome.at.timestamp():.3f}",
        )
        for outcome in shown
    ]
    said = f"{good} of the last {len(shown)} answered" if shown else "not asked in the last seven days"
    last = f", the last {age(shown[-1].at, snapshot.taken_at)}" if shown else ""
    return el("span", *free, *dots, class_="strip", role="img", label=said + last, title=said + last)


def _outcome(outcome: Outcome, snapshot: HealthSnapshot) -> str:
    how = f"answered in {words.length(outcome.ms)}" if outcome.kind is None else FAILURES[outcome.kind][0]
    return f"{age(outcome.at, snapshot.taken_at)}: {how}{', a probe' if outcome.probe else ''}"


def pipeline_view(
    snapshot: HealthSnapshot, reading: Reading, *, control: bool, quality: QualityFigures | None = None
) -> Node:
    """Stores, queue, workers, memory's work and its quality, each with the age of what is said."""
    rows = [_part(part, snapshot, reading) for part in snapshot.parts]
    rows += [
        _queue(snapshot, reading),
        *_workers(snapshot, reading),
        _memory(snapshot, reading),
        _dead(snapshot, control=control),
        _quality(quality, reading),
    ]
    return el("section", el("h2", "Stores and workers"), el("ul", *rows, class_="health plain"), key="stores")


def _part(part: PartSeen, snapshot: HealthSnapshot, reading: Reading) -> Node:
    light = snapshot.light(part.part)
    seen: Node = "not looked at yet" if part.looked_at is None else _seen(part.looked_at, snapshot, reading)
    since = (
        "" if part.since is None else f"since {words.said_when(part.since, now=snapshot.taken_at, zone=reading.zone)}"
    )
    hidden = any(o.kind is OrderKind.HIDE and o.target == part.part for o in snapshot.orders)
    word, mark = ("UP", "well") if part.ok else ("HIDDEN", "less") if hidden else ("AWAY", "down")
    why = light.sentence.rstrip(".") if light else ""
    said = " · ".join(piece for piece in (why, "" if part.ok else since) if piece)
    return _row(part.part.capitalize(), (word, mark), said or since, figure=took(part.ms), seen=seen, key=part.part)


def _row(name: str, state: tuple[str, str], said: str, *, figure: str, seen: Node, key: str, more: Node = "") -> Node:
    """A row of the lower table. `state` is a word and its mark."""
    word, mark = state
    return el(
        "li",
        el(
            "div",
            el("span", el("strong", name), class_="name"),
            _state(word, mark),
            el("span", said, class_="why", title=said),
            el("span", figure, class_="figure"),
            el("span", seen, class_="figure wide"),
            class_="row",
        ),
        more,
        key=key,
        class_=mark,
    )


def _seen(at: datetime, snapshot: HealthSnapshot, reading: Reading) -> Node:
    """The age of what a row says; the very time on hovering."""
    return el("time", f"seen {age(at, snapshot.taken_at)}", title=words.exact(at, zone=reading.zone))


def _queue(snapshot: HealthSnapshot, reading: Reading) -> Node:
    look = snapshot.queue
    if look is None:
        return _row("Queue", _UNKNOWN, "it could not be asked", figure="–", seen="", key="queue")
    waiting = sum(look.value.depth.values())
    where = "jobs run inside this process" if look.value.own_process else ""
    oldest = f"the oldest since {age(look.value.oldest_at, snapshot.taken_at)}" if look.value.oldest_at else ""
    said = " · ".join(piece for piece in (oldest or "nothing waits" if not waiting or oldest else "", where) if piece)
    word, mark = ("UP", "well") if look.answered else ("AWAY", "down")
    seen = _seen(look.at, snapshot, reading)
    return _row("Queue", (word, mark), said, figure=words.count(waiting, "job"), seen=seen, key="queue")


def _workers(snapshot: HealthSnapshot, reading: Reading) -> list[Node]:
    look = snapshot.queue
    if look is None or look.value.own_process:
        return []
    alive = snapshot.workers_alive or 0
    word, mark = ("UP", "well") if alive else ("NONE", "less")
    newest = look.value.workers[:_WORKERS_SHOWN]
    said = "; ".join(_worker(worker, snapshot) for worker in newest) or "no worker has ever reported"
    seen = _seen(look.at, snapshot, reading)
    return [_row("Workers", (word, mark), said, figure=words.count(alive, "worker"), seen=seen, key="workers")]


def _worker(worker: WorkerSeen, snapshot: HealthSnapshot) -> str:
    return (
        f"…{worker.name[-4:]} {'at work' if worker.busy else 'idle'}, reported {age(worker.seen_at, snapshot.taken_at)}"
    )


def _memory(snapshot: HealthSnapshot, reading: Reading) -> Node:
    look = snapshot.pipeline
    if look is None:
        return _row("Memory's work", _UNKNOWN, "it could not be read", figure="–", seen="", key="memory")
    late = snapshot.memory_overdue_s
    word, mark = ("BEHIND", "less") if late > BEHIND_S else ("UP", "well")
    waiting = look.value.waiting
    said = (
        f"the oldest is {how_long(late)} late"
        if late >= 60
        else "the oldest is on time"
        if waiting
        else "all is taken in"
    )
    more = "+" if waiting >= 100 else ""
    seen = _seen(look.at, snapshot, reading)
    return _row("Memory's work", (word, mark), said, figure=f"{waiting}{more} waiting", seen=seen, key="memory")


def _quality(figures: QualityFigures | None, reading: Reading) -> Node:
    """How many facts are wrong in a way that can be counted; measured once a day."""
    if figures is None:
        return _row("Memory's quality", ("UNKNOWN", "less"), "not measured yet", figure="–", seen="", key="quality")
    counts = {
        "twice": figures.duplicates,
        "without words behind them": figures.unsupported,
        "grown old": figures.stale,
        "contradictory": figures.contradictory,
        "of an unknown speaker": figures.unknown_speaker,
    }
    flaws = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    today = reading.now.astimezone(UTC).date()
    days = (today - figures.day).days
    seen = "measured today" if days <= 0 else f"measured {words.count(days, 'day')} ago"
    state = ("FLAWS", "less") if flaws else ("GOOD", "well")
    facts = words.count(figures.facts, "fact")
    return _row("Memory's quality", state, flaws or "no flaw was found", figure=facts, seen=seen, key="quality")


def _dead(snapshot: HealthSnapshot, *, control: bool) -> Node:
    """What could not be read into memory, with a button to have it tried again."""
    dead = snapshot.pipeline.value.dead if snapshot.pipeline is not None else ()
    if not dead:
        return _row("Given up", ("NONE", "well"), "everything could be read", figure="0", seen="", key="dead")
    items = [
        el(
            "li",
            f"{words.count(each.messages, 'message')}, given up {age(each.at, snapshot.taken_at)}",
            el("button", "Try again", class_="link", act="replay", to=each.batch_id) if control else "",
            key=f"{each.batch_id} {each.at.timestamp()}",
        )
        for each in dead
    ]
    said = "these pieces of chats could not be read into memory"
    more = el("ul", *items, class_="dead")
    return _row("Given up", ("SOME", "down"), said, figure=str(len(dead)), seen="", key="dead", more=more)


def abilities_view(snapshot: HealthSnapshot) -> Node:
    """What people can do now, in sentences."""
    rows = [
        el(
            "li",
            el("span", el("strong", ability.what), class_="name"),
            _state(_WORDS[ability.how], _MARKS[ability.how]),
            el("span", ability.sentence, class_="says"),
            key=ability.what,
        )
        for ability in still_works(snapshot)
    ]
    return el("section", el("h2", "What still works"), el("ul", *rows, class_="abilities"), key="abilities")


def told(order: Order, reading: Reading) -> str:
    """What an order means for everybody, until when."""
    until = soon(order.until, reading.now, reading)
    match order.kind:
        case OrderKind.HIDE:
            return f"A drill is running until {until}: {order.target} is hidden on purpose."
        case OrderKind.OPEN:
            return f"A drill is running until {until}: {named_circuit(order.target, reading)} is not asked, on purpose."
        case OrderKind.ARRANGE:
            first = ", ".join(named_circuit(name, reading) for name in order.target.split("\n"))
            return f"Until {until} these are asked first: {first}."


def named_circuit(name: str, reading: Reading) -> str:
    """What people call a circuit."""
    provider, _, model = name.partition(":")
    return reading.label(provider, model)


def quota_line(provider: ProviderHealth, snapshot: HealthSnapshot, reading: Reading) -> str:
    """What was left of its allowance when it was last read, and when that was; where none is set, that."""
    if provider.quota is None:
        return "no monthly limit of requests is set"
    said = allowance(provider.quota.value, snapshot.taken_at, reading)
    since = "" if provider.quota.answered else ", not to be read since"
    return f"{said} · seen {age(provider.quota.at, snapshot.taken_at)}{since}"
