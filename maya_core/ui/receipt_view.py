"""The receipt of a reply as a tree: what was looked through, what was used, who was asked and why it was them."""

from datetime import datetime, tzinfo

from maya_core.chat.prompt import shorten
from maya_core.domain.conversation import Excerpt, RecalledFact, RecalledItem, Receipt, Role, TierOutcome, TierUse
from maya_core.domain.generation import Attempt
from maya_core.ui import words
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading

_OUTCOMES = {
    TierOutcome.OK: "",
    TierOutcome.LATE: "too late, left out",
    TierOutcome.DOWN: "did not answer, left out",
    TierOutcome.SKIPPED: "not asked",
}
_EXCERPT_CHARACTERS = 160


def receipt_view(receipt: Receipt, *, said_at: datetime, reading: Reading) -> Node:
    """The fold-out's content."""
    return el(
        "div",
        *_section("Looked through", _tiers(receipt)),
        *_section(
            "Found in earlier chats", [_recalled(n, r, reading) for n, r in enumerate(receipt.recalled, start=1)]
        ),
        *_section("Facts found", [_fact(n, fact, reading) for n, fact in enumerate(receipt.facts, start=1)]),
        *_section("Asked", [_attempt(a, said_at, reading) for a in receipt.attempts]),
        *_section("In figures", _figures(receipt)),
        *(el("p", note, class_="note") for note in receipt.notes),
        class_="receipt",
    )


def cited_view(receipt: Receipt, reading: Reading) -> Node | None:
    """The passages and facts that the reply cites, under their numbers; None when it cites none."""
    lines = [
        *(
            _numbered(str(number), origin(item.excerpt, reading))
            for number, item in enumerate(receipt.recalled, start=1)
            if item.cited
        ),
        *(
            _numbered(f"F{number}", el("bdi", fact.sentence), " · ", *_source(fact, reading))
            for number, fact in enumerate(receipt.facts, start=1)
            if fact.cited
        ),
    ]
    return el("ul", *lines, class_="cited", label="Cited from earlier chats") if lines else None


def _numbered(number: str, *content: Node | str) -> Node:
    return el("li", el("span", f"[{number}]", class_="number"), " ", *content)


def origin(excerpt: Excerpt, reading: Reading) -> Node:
    """Who said it, when and where, as a link to that chat."""
    who = "Maya" if excerpt.role is Role.ASSISTANT else "You"
    when = words.day(excerpt.said_at, now=reading.now, zone=reading.zone)
    return el(
        "a",
        f"{who}, {when}, “",
        el("bdi", shorten(excerpt.conversation_title, 60)),
        "”",
        href=f"?chat={excerpt.conversation_id}",
        act="open_at",
        to=f"{excerpt.conversation_id} {excerpt.message_id}",
        title=words.exact(excerpt.said_at, zone=reading.zone),
    )


def _section(title: str, rows: list[Node]) -> list[Node]:
    return [el("h3", title), el("ul", *rows)] if rows else []


def _tiers(receipt: Receipt) -> list[Node]:
    slowest = max((tier.ms for tier in receipt.tiers), default=0.0)
    return [_tier(tier, slowest) for tier in receipt.tiers]


def _tier(tier: TierUse, slowest: float) -> Node:
    said = _OUTCOMES[tier.outcome] or f"{tier.found} found"
    share = round(100 * tier.ms / slowest) if slowest else 0
    return el(
        "li",
        el("span", tier.tier, class_="what"),
        el("span", class_="bar", width=str(max(share, 2))),
        el("span", words.length(tier.ms), class_="figure"),
        el("span", said, class_="said" if tier.outcome is TierOutcome.OK else "said warn"),
        class_="tier",
    )


def _recalled(number: int, item: RecalledItem, reading: Reading) -> Node:
    return _numbered(
        str(number),
        origin(item.excerpt, reading),
        _use(item),
        el("p", shorten(item.excerpt.text.replace("\n", " "), _EXCERPT_CHARACTERS), class_="excerpt", dir="auto"),
    )


def _use(item: RecalledItem | RecalledFact) -> Node:
    use = "cited" if item.cited else "given to the model" if item.injected else "found, not used"
    return el("span", use, class_=f"chip {'strong' if item.cited else ''}".strip())


def _fact(number: int, fact: RecalledFact, reading: Reading) -> Node:
    """A fact in words, and where it comes from."""
    sentence = el("span", fact.sentence, class_="fact", dir="auto")
    return _numbered(f"F{number}", sentence, *_source(fact, reading), _use(fact))


def _source(fact: RecalledFact, reading: Reading) -> list[Node | str]:
    """Who said so and since when; where it was said is looked up when somebody asks."""
    when = "" if fact.known_at is None else words.day(fact.known_at, now=reading.now, zone=reading.zone)
    if fact.by_hand:
        hand: list[Node | str] = [el("span", f"you, by hand, {when}", class_="figure")]
        return hand + ([" ", _said_at(fact, "What was said before")] if fact.message_ids else [])
    if fact.message_ids:
        return [_said_at(fact, "Where it was said")]
    return [el("span", "no message is known for it", class_="figure")]


def _said_at(fact: RecalledFact, label: str) -> Node:
    return el("button", label, class_="link", act="open_source", to=fact.message_ids[0])


def _attempt(attempt: Attempt, said_at: datetime, reading: Reading) -> Node:
    label = reading.label(attempt.provider, attempt.model)
    if attempt.kind is None:
        first = f", first words after {words.length(attempt.first_text_ms)}" if attempt.first_text_ms else ""
        said = f"answered in {words.length(attempt.ms)}{first}"
    else:
        said = why_not(attempt, said_at=said_at, zone=reading.zone, label=label)
        if attempt.ms >= 1:
            said += f" ({words.length(attempt.ms)})"
    key = f"key …{attempt.key[-4:]}" if attempt.key else ""
    return el(
        "li",
        el("span", label, class_="what"),
        el("span", said, class_="said" if attempt.kind is None else "said warn"),
        el("span", key, class_="figure") if key else "",
    )


def why_not(attempt: Attempt, *, said_at: datetime, zone: tzinfo, label: str) -> str:
    """Why a provider did not answer, with the time of the next try where it is known."""
    sentence = (attempt.sentence or f"{label} did not answer").rstrip(".")
    if attempt.retry_in_s is None:
        return sentence
    return f"{sentence}, until {words.clock(said_at, after_s=attempt.retry_in_s, zone=zone)}"


def _figures(receipt: Receipt) -> list[Node]:
    rows: list[tuple[str, str]] = []
    if receipt.total_ms is not None:
        rows.append(("In all", words.length(receipt.total_ms)))
    if receipt.first_text_ms is not None:
        rows.append(("First words after", words.length(receipt.first_text_ms)))
    if receipt.own_ms is not None:
        rows.append(("Maya's own part", words.length(receipt.own_ms)))
    if receipt.usage is not None and (receipt.usage.input_tokens or receipt.usage.output_tokens):
        rows.append(("Tokens", f"{receipt.usage.input_tokens:,} in, {receipt.usage.output_tokens:,} out"))
    rows.append(("Turn", receipt.turn_id))
    return [el("li", el("span", name, class_="what"), el("span", value, class_="figure")) for name, value in rows]
