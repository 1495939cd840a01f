"""The rule of `choose_sibling`, as a pure function over messages that a backend has read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from maya_core.domain.conversation import Message, MessageId, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which messages become active (`on`) and which inactive (`off`)."""

    on: tuple[MessageId, ...]
    off: tuple[MessageId, ...]


def asked_in(own_turn: Collection[Message], chosen: Message) -> Message:
    """The person's message whose alternatives decide which turns compete; the chosen one where a turn has none."""
    return next((said for said in own_turn if said.role is Role.USER), chosen)


def choose(chosen: Message, competing: Sequence[Message]) -> Choice:
    """Activate the chosen message's turn out of `competing`, all messages of the turns that exclude each other.

    Of that turn the person's message is active, with the chosen reply or else the newest one.
    """
    own = [said for said in competing if said.turn_id == chosen.turn_id]
    replies = [said for said in own if said.role is Role.ASSISTANT]
    reply = chosen if chosen.role is Role.ASSISTANT else max(replies, key=lambda said: said.seq, default=None)
    on = [said.id for said in own if said.role is Role.USER]
    if reply is not None:
        on.append(reply.id)
    return Choice(on=tuple(on), off=tuple(said.id for said in competing if said.id not in on))
