"""What an admin can do to providers and stores. Every deed is a row of the audit table, written before it is done."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta

from maya_core.accounts.access import Action, User, require
from maya_core.clock import Clock
from maya_core.domain.generation import Caller, ChainFailed, Done, Prompt, PromptMessage, Purpose
from maya_core.domain.health import FACTS, FAST_MEMORY, MEANING, SAVED_CHATS, Circuit
from maya_core.domain.ids import new_id
from maya_core.domain.orders import Order, OrderKind
from maya_core.errors import InvalidInput
from maya_core.health.board import Board
from maya_core.health.snapshot import DeadBatch
from maya_core.health.standing import Standing
from maya_core.jobs.port import Job, Jobs, QueueName
from maya_core.memory.sweep import REDO
from maya_core.providers.port import Chain
from maya_core.resilience.port import Breaker
from maya_core.stores.audit.port import Audit, AuditEntry, Deed

HIDEABLE = (SAVED_CHATS, FAST_MEMORY, MEANING, FACTS)
"""The parts that a drill can hide."""

DRILL_S = 300.0
LONGEST_ARRANGEMENT_S = 24 * 3600.0

ONE_WORD = Prompt(
    system="You are tested for being reachable.",
    messages=(PromptMessage(role="user", text="Answer with the word: ready"),),
    max_output_tokens=16,
)
"""What a vendor is asked to find out whether it answers. A model that thinks first gives no text for a single token."""


class Controls:
    """Every call asks whether the user may, then writes down what is about to be done, then does it.

    All raise NotAllowed, InvalidInput for what does not exist, and StoreUnavailable: what cannot be written down is not
    done.

    Args:
        alone: a chain of one provider, on the same breaker.
    """

    def __init__(
        self,
        *,
        circuits: Sequence[Circuit],
        arrangeable: Sequence[Circuit],
        breaker: Breaker,
        standing: Standing,
        board: Board,
        audit: Audit,
        jobs: Jobs,
        alone: Callable[[Circuit], Chain],
        clock: Clock,
    ) -> None:
        self._circuits = tuple(circuits)
        self._arrangeable = tuple(arrangeable)
        self._breaker = breaker
        self._standing = standing
        self._board = board
        self._audit = audit
        self._jobs = jobs
        self._alone = alone
        self._clock = clock

    async def isolate(self, user: User, circuit: Circuit) -> None:
        """Ask this provider nothing until it is reset."""
        await self._begin(user, Deed.ISOLATE, self._known(circuit).name)
        await self._breaker.isolate(circuit)
        self._board.renew()

    async def observe_only(self, user: User, circuit: Circuit) -> None:
        """Count its failures, but never refuse to ask it, until it is reset."""
        await self._begin(user, Deed.OBSERVE_ONLY, self._known(circuit).name)
        await self._breaker.observe_only(circuit)
        self._board.renew()

    async def reset(self, user: User, circuit: Circuit) -> None:
        """Back to normal: closed, nothing counted, no key set aside."""
        await self._begin(user, Deed.RESET, self._known(circuit).name)
        await self._breaker.reset(circuit)
        self._board.renew()

    async def test_call(self, user: User, circuit: Circuit) -> str:
        """Ask this provider for one word, through its breaker; what came of it, as a sentence.

        It may cost money, which is the admin's own.
        """
        await self._begin(user, Deed.TEST_CALL, self._known(circuit).name)
        asked = replace(ONE_WORD, caller=Caller(user_id=user.id, purpose=Purpose.TEST))
        try:
            async with aclosing(self._alone(circuit).stream(asked)) as events:
                async for event in events:
                    if isinstance(event, Done):
                        return f"It answered in {event.attempts[-1].ms / 1000:.1f} s."
        except ChainFailed as failure:
            return failure.attempts[-1].sentence if failure.attempts else "It was not asked."
        finally:
            self._board.renew()
        return "It did not answer."

    async def arrange(self, user: User, first: Sequence[Circuit], *, for_s: float) -> None:
        """Ask these vendors first, in this order, in every process, for that long."""
        names = [self._known(circuit).name for circuit in first]
        if not names or len(set(names)) != len(names) or not set(first) <= set(self._arrangeable):
            raise InvalidInput("Only vendors can be put in another order, each once.")
        if not 0 < for_s <= LONGEST_ARRANGEMENT_S:
            raise InvalidInput("Another order can hold for a day at most.")
        order = Order(kind=OrderKind.ARRANGE, target="\n".join(names), until=self._in(for_s))
        await self._order(user, Deed.ARRANGE, order)

    async def drill_hide(self, user: User, part: str, *, for_s: float = DRILL_S) -> None:
        """Treat a part as away for five minutes, in every process."""
        if part not in HIDEABLE:
            raise InvalidInput("There is no such part to hide.")
        await self._order(user, Deed.DRILL, Order(kind=OrderKind.HIDE, target=part, until=self._in(for_s)))

    async def drill_open(self, user: User, circuit: Circuit, *, for_s: float = DRILL_S) -> None:
        """Treat a provider as failing for five minutes, in every process."""
        target = self._known(circuit).name
        await self._order(user, Deed.DRILL, Order(kind=OrderKind.OPEN, target=target, until=self._in(for_s)))

    async def end(self, user: User, name: str) -> None:
        """End a drill or another order of providers before its time. Nothing happens when it is over."""
        require(user, Action.CONTROL_PROVIDERS)
        standing = next((order for order in self._standing.orders if order.name == name), None)
        if standing is None:
            return
        await self._begin(user, Deed.DRILL_ENDED if standing.drill else Deed.ARRANGEMENT_ENDED, name)
        await self._standing.remove(name)
        self._board.renew()

    async def replay(self, user: User, dead: DeadBatch) -> None:
        """Have a piece of a chat read into memory again that could not be read."""
        await self._begin(user, Deed.REPLAY, dead.batch_id, f"{dead.messages} messages")
        ids = {"user_id": str(dead.user_id), "batch_id": str(dead.batch_id)}
        await self._jobs.enqueue(Job(name=REDO, ids=ids, queue=QueueName.LOW))

    async def log(self, user: User, *, limit: int = 20) -> list[AuditEntry]:
        """What admins did, newest first."""
        require(user, Action.CONTROL_PROVIDERS)
        return await self._audit.list_all(limit=limit)

    def _known(self, circuit: Circuit) -> Circuit:
        if circuit not in self._circuits:
            raise InvalidInput("There is no such provider.")
        return circuit

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)

    async def _order(self, user: User, deed: Deed, order: Order) -> None:
        target = order.target.replace("\n", ", ")
        await self._begin(user, deed, target, f"{order.kind.value} until {order.until:%Y-%m-%d %H:%M:%S} UTC")
        await self._standing.put(order)
        self._board.renew()

    async def _begin(self, user: User, deed: Deed, target: str, detail: str = "") -> None:
        """Ask, and write it down."""
        require(user, Action.CONTROL_PROVIDERS)
        entry = AuditEntry(id=new_id(), at=self._clock.now(), user_id=user.id, deed=deed, target=target, detail=detail)
        await self._audit.append(user.id, entry)
