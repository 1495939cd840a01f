"""Running replies and the people who watch them.

The process that makes a reply owns a `LiveReply`. Its events also go to the whiteboard, so that a reload, a second tab
or another process can follow: a `LiveView` is the same there, folded from the same events. Every event carries its
place in the text. What could not be published is published later; a follower who misses text says so instead of joining
what does not belong together, and is served from the stored row.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.errors import StoreUnavailable
from maya_core.stores.whiteboard.port import Whiteboard

_FOLLOWED_AT_MOST = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """Where another provider went on with a broken reply: a character position and the line shown there."""

    at: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveView:
    """A running reply at one moment.

    Attributes:
        activity: the quiet line that says what is happening until text comes.
        answered_by, why: who is writing, and the sentence that says why it is not the first choice ("" if it is).
        ended: the stored message has everything from here on.
    """

    message_id: MessageId
    text: str
    activity: str
    answered_by: str
    why: str
    seams: tuple[Seam, ...]
    ended: bool


EventKind = Literal["activity", "author", "text", "seam", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """One step of a running reply. `text` is the line, the author's name or the text; `why` goes with an author.

    `at` is how many characters the reply had before it; whoever makes the reply leaves it to `LiveReply`.
    """

    kind: EventKind
    text: str = ""
    why: str = ""
    at: int = 0

    def encode(self) -> bytes:
        fields = [self.kind, self.text, self.why, self.at]
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass")

    @staticmethod
    def decode(data: bytes) -> "LiveEvent":
        """Raises ValueError or TypeError for an entry of another version of Maya."""
        kind, text, why, at = json.loads(data)
        return LiveEvent(kind=kind, text=text, why=why, at=int(at))


@dataclass(slots=True)
class _Fold:
    """The events so far, added up. `torn`: text is missing after what is here, and nothing more is added to it."""

    message_id: MessageId
    parts: list[str] = field(default_factory=list)
    length: int = 0
    activity: str = ""
    answered_by: str = ""
    why: str = ""
    seams: list[Seam] = field(default_factory=list)
    ended: bool = False
    torn: bool = False

    def add(self, event: LiveEvent) -> None:
        """Take the next event. One that comes twice counts once (published again, or read by two tabs at the same
        time); one after a gap tears the fold."""
        if event.at > self.length and event.kind != "end":
            self.torn = True
        if self.torn and event.kind != "end":
            return
        match event.kind:
            case "text":
                new = event.text[self.length - event.at :]
                self.parts.append(new)
                self.length += len(new)
            case "activity":
                self.activity = event.text
            case "author":
                self.answered_by, self.why = event.text, event.why
            case "seam":
                seam = Seam(at=event.at, sentence=event.text)
                if seam not in self.seams:
                    self.seams.append(seam)
            case "end":
                self.ended = True

    def view(self) -> LiveView:
        return LiveView(
            message_id=self.message_id,
            text="".join(self.parts),
            activity=self.activity,
            answered_by=self.answered_by,
            why=self.why,
            seams=tuple(self.seams),
            ended=self.ended,
        )


class LiveReply:
    """A running reply in the process that makes it. Changed on the engine's loop; `view` is for any thread."""

    def __init__(self, user_id: UserId, conversation_id: ConversationId, message_id: MessageId) -> None:
        self.user_id = user_id
        self.conversation_id = conversation_id
        self.message_id = message_id
        self._fold = _Fold(message_id)
        self._outbox: list[LiveEvent] = []

    def add(self, event: LiveEvent) -> None:
        """Take the next event; readers in this process see it at once."""
        placed = replace(event, at=self._fold.length)
        self._fold.add(placed)
        self._outbox.append(placed)

    @property
    def text(self) -> str:
        return "".join(self._fold.parts)

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._fold.length

    def view(self) -> LiveView:
        return self._fold.view()

    def take_unpublished(self) -> list[LiveEvent]:
        """Events that other processes have not been told, consecutive pieces of text joined; empties the outbox."""
        events, self._outbox = self._outbox, []
        joined: list[LiveEvent] = []
        for kind, group in groupby(events, key=lambda event: event.kind):
            same = list(group)
            if kind == "text":
                joined.append(replace(same[0], text="".join(event.text for event in same)))
            else:
                joined.extend(same)
        return joined

    def put_back(self, events: Sequence[LiveEvent]) -> None:
        """These could not be published: they come before everything that is to be published next."""
        self._outbox = [*events, *self._outbox]


class LiveReplies:
    """Every running reply of this process, and the followed ones of others."""

    def __init__(self, whiteboard: Whiteboard) -> None:
        self._whiteboard = whiteboard
        self._own: dict[MessageId, LiveReply] = {}
        self._followed: OrderedDict[tuple[UserId, MessageId], tuple[str, _Fold]] = OrderedDict()

    def open(self, user_id: UserId, conversation_id: ConversationId, message_id: MessageId) -> LiveReply:
        reply = LiveReply(user_id, conversation_id, message_id)
        self._own[message_id] = reply
        return reply

    def close(self, message_id: MessageId) -> None:
        self._own.pop(message_id, None)

    def own(self, user_id: UserId, message_id: MessageId) -> LiveReply | None:
        """The reply if this process makes it, for this user."""
        reply = self._own.get(message_id)
        return reply if reply is not None and reply.user_id == user_id else None

    async def follow(self, user_id: UserId, message_id: MessageId) -> LiveView | None:
        """The reply as another process publishes it.

        None when nothing is published (yet, or any more), and when a part of it went missing: the row has it soon.
        """
        key = (user_id, message_id)
        after, fold = self._followed.get(key, ("0", _Fold(message_id)))
        try:
            entries = await self._whiteboard.follow(user_id, message_id, after=after)
        except StoreUnavailable:
            entries = []
        if not entries and key not in self._followed:
            return None
        for entry in entries:
            try:
                fold.add(LiveEvent.decode(entry.data))
            except (ValueError, TypeError):
                fold.torn = True
            after = entry.id
        self._keep(key, after, fold)
        return _whole(fold)

    def _keep(self, key: tuple[UserId, MessageId], after: str, fold: _Fold) -> None:
        self._followed[key] = (after, fold)
        self._followed.move_to_end(key)
        while len(self._followed) > _FOLLOWED_AT_MOST:
            self._followed.popitem(last=False)


async def publish(whiteboard: Whiteboard, reply: LiveReply, *, ttl_s: float) -> None:
    """Tell other processes what is new. What cannot be told now is told the next time, in its place.

    A caller who was told StoreUnavailable does not know whether it was published: telling twice is harmless.
    """
    events = reply.take_unpublished()
    if not events:
        return
    try:
        await whiteboard.publish(reply.user_id, reply.message_id, [event.encode() for event in events], ttl_s=ttl_s)
    except StoreUnavailable:
        reply.put_back(events)
    except asyncio.CancelledError:
        reply.put_back(events)
        raise


def _whole(fold: _Fold) -> LiveView | None:
    """What can be shown: everything up to the end, or that it has ended."""
    return fold.view() if fold.ended or not fold.torn else None
