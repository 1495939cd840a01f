"""What still works, in plain sentences: the table of `docs/health.md` read against a snapshot. Pure.

There is one line for each thing that people do, always the same lines in the same order, so that nothing moves on the
page when something fails.
"""

from dataclasses import dataclass
from enum import StrEnum

from maya_core.domain.health import FACTS, FAST_MEMORY, MEANING, SAVED_CHATS, Light
from maya_core.health.snapshot import BEHIND_S, HealthSnapshot, ProviderHealth


class How(StrEnum):
    """WORKS as ever; LESS: with less than usual; NOT at all."""

    WORKS = "works"
    LESS = "less"
    NOT = "not"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Something that people do with Maya, how it works now, and what that means for them."""

    what: str
    how: How
    sentence: str


def still_works(snapshot: HealthSnapshot) -> tuple[Ability, ...]:
    """Every line, in the order of importance."""
    return (
        _writing(snapshot),
        _answers(snapshot),
        _same_chat(snapshot),
        _by_meaning(snapshot),
        _facts(snapshot),
        _new_memories(snapshot),
        _room(snapshot),
    )


def _writing(snapshot: HealthSnapshot) -> Ability:
    what = "Writing and reading chats"
    if not _well(snapshot, SAVED_CHATS):
        sentence = (
            "Messages cannot be saved now, so nothing is sent. What you type stays in the box. "
            "What got no answer is called not confirmed, and can be checked."
        )
        return Ability(what=what, how=How.NOT, sentence=sentence)
    return Ability(what=what, how=How.WORKS, sentence="Every message is saved before anybody is asked.")


def _answers(snapshot: HealthSnapshot) -> Ability:
    what = "Answers from a model"
    models = [provider for provider in snapshot.providers if not provider.offline]
    first = next((provider for provider in models if provider.usable), None)
    if not models:
        return Ability(
            what=what, how=How.NOT, sentence="No model is configured. Passages from earlier chats are quoted instead."
        )
    if first is None:
        return Ability(
            what=what,
            how=How.NOT,
            sentence="No model can answer now. Your message is saved, and passages from earlier chats are quoted.",
        )
    if first is models[0]:
        return Ability(what=what, how=How.WORKS, sentence=f"{first.label} answers.{_others(models)}")
    away = ", ".join(provider.label for provider in models[: models.index(first)])
    verb = "rests" if models.index(first) == 1 else "rest"
    if not first.cloud:
        sentence = f"{first.label} answers on this machine and may be less able: {away} {verb}."
    else:
        sentence = f"{first.label} answers while {away} {verb}. Each reply says who wrote it."
    return Ability(what=what, how=How.LESS, sentence=sentence)


def _others(models: list[ProviderHealth]) -> str:
    others = [provider for provider in models[1:] if not provider.stands_by]
    away = [provider.label for provider in others if not provider.usable]
    if not others:
        return " Nobody is configured to take over."
    return f" {', '.join(away)} could not take over now." if away else " Others can take over at once."


def _same_chat(snapshot: HealthSnapshot) -> Ability:
    what = "Following a reply elsewhere"
    light = snapshot.light(FAST_MEMORY)
    if light is not None and not light.ok:
        sentence = "A second tab follows a reply more slowly; chats and limits go on. Memory work waits."
        return Ability(what=what, how=How.LESS, sentence=sentence)
    if light is not None and light.sentence:
        return Ability(what=what, how=How.LESS if light.urgent else How.WORKS, sentence=light.sentence)
    return Ability(what=what, how=How.WORKS, sentence="A reload or a second tab shows a reply as it is written.")


def _by_meaning(snapshot: HealthSnapshot) -> Ability:
    what = "Earlier chats by meaning"
    light = snapshot.light(MEANING)
    if light is not None and not light.ok:
        return Ability(what=what, how=How.LESS, sentence=light.sentence)
    return Ability(what=what, how=How.WORKS, sentence="Earlier chats are found by what they mean and by their words.")


def _facts(snapshot: HealthSnapshot) -> Ability:
    what = "Facts about people and things"
    light = snapshot.light(FACTS)
    if light is not None and not light.ok:
        return Ability(what=what, how=How.LESS, sentence=light.sentence)
    return Ability(
        what=what, how=How.WORKS, sentence="Replies know the facts that were stated, and the memory page opens."
    )


def _new_memories(snapshot: HealthSnapshot) -> Ability:
    what = "New memories"
    if snapshot.memory_overdue_s > BEHIND_S:
        late = how_long(snapshot.memory_overdue_s)
        return Ability(
            what=what,
            how=How.LESS,
            sentence=f"Memory is catching up: the oldest chat waits {late} too long. Replies are not held up.",
        )
    if snapshot.workers_alive == 0:
        return Ability(
            what=what,
            how=How.LESS,
            sentence="No worker reports. What is said now is remembered once one is back; nothing is lost.",
        )
    return Ability(
        what=what, how=How.WORKS, sentence="What is said is remembered a few minutes after a chat falls silent."
    )


def _room(snapshot: HealthSnapshot) -> Ability:
    what = "Room to save"
    light: Light | None = snapshot.light("storage")
    if light is not None and not light.ok:
        return Ability(what=what, how=How.NOT if light.urgent else How.LESS, sentence=light.sentence)
    return Ability(what=what, how=How.WORKS, sentence="There is room for what is written.")


def _well(snapshot: HealthSnapshot, part: str) -> bool:
    light = snapshot.light(part)
    return light is None or light.ok


def how_long(seconds: float) -> str:
    """A length of time in its largest unit: "12 s", "4 min", "3 h", "2 days"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"
