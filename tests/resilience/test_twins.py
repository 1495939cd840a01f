"""Random histories of a fleet: what Lua does in Redis is what the rules say, and the promises of a breaker hold.

Three clients share one Redis whose clock the test moves. Beside it the pure rules run on the same history; answers
and stored records must be equal after every step. The promises are checked by bookkeeping of their own: an answer for
which Redis was not asked must be one that it gave this client less than a second ago, with nothing done by it since.
"""

import asyncio
import os
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from maya_core.clock import ManualClock
from maya_core.domain.health import (
    BreakerMode,
    BreakerState,
    Circuit,
    Refusal,
    RefusalReason,
    SetAside,
    Ticket,
    Verdict,
)
from maya_core.errors import FailureKind
from maya_core.resilience import rules
from maya_core.resilience.asides import Asides, set_aside, without_asides
from maya_core.resilience.breaker_policy import BreakerPolicy, Policies
from maya_core.resilience.policy import policy_for
from maya_core.resilience.rules import Record
from maya_core.resilience.shared import SharedBreaker
from maya_core.resilience.stored import decode_asides, decode_record
from maya_core.stores.redis_client import connect, unix_url

CIRCUITS = (Circuit(provider="gemini", model="flash"), Circuit(provider="gemini", model="pro"))
KEYS = ("k1", "k2")
POLICIES = (
    BreakerPolicy(),
    BreakerPolicy(successes_to_close=2, reopen_ladder_s=(600.0, 900.0), probe_lease_s=13),
    BreakerPolicy(consecutive=5, min_calls=3, open_s=60, longest_hold_s=60),
    BreakerPolicy(open_s=0.5, probe_lease_s=0.75),
)
REMEMBER_S = 1.0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A ticket, which client holds it, and when it was given."""

    ticket: Ticket
    client: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What Redis answered to a client that asked it, and when."""

    answer: Ticket | Refusal
    keys: tuple[str, ...]
    at: float


class Client(SharedBreaker):
    """A breaker that tells whether Redis was asked."""

    asked = False

    async def _admit(self, circuit: Circuit, keys: Sequence[str], *, early: bool) -> tuple[Ticket | Refusal, bool]:
        self.asked = True
        return await super()._admit(circuit, keys, early=early)


class Fleet(RuleBasedStateMachine):
    """Three processes' worth of callers against one shared breaker, and the rules beside it."""

    socket: ClassVar[Path]
    tickets: Bundle[Issued] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.records = dict.fromkeys(CIRCUITS, Record())
        self.asides: Asides = {}
        self.probes: dict[Circuit, list[Issued]] = {circuit: [] for circuit in CIRCUITS}
        self.failures_in_a_row: dict[Circuit, list[float]] = {circuit: [] for circuit in CIRCUITS}
        self.refuses_until: dict[Circuit, float] = dict.fromkeys(CIRCUITS, 0.0)
        self.said: list[dict[Circuit, Said]] = [{}, {}, {}]

    @initialize(policy=st.sampled_from(POLICIES), remember_s=st.sampled_from([0.0, REMEMBER_S, REMEMBER_S]))
    def connect(self, policy: BreakerPolicy, remember_s: float) -> None:
        self.policy = policy
        self.prefix = f"t-{uuid4().hex}:"
        self.client: Redis = connect(unix_url(self.socket), timeout_s=20)
        self.breakers = [
            Client(
                self.client,
                clock=self.clock,
                policies=Policies(default=policy),
                prefix=self.prefix,
                timeout_s=20,
                remember_s=remember_s,
                redis_time=self.clock.monotonic,
            )
            for _ in range(3)
        ]

    def teardown(self) -> None:
        if hasattr(self, "client"):
            self.always_probes_again()
            self.run(self.client.aclose())
        self.runner.close()

    @rule(
        target=tickets,
        client=st.integers(0, 2),
        circuit=st.sampled_from(CIRCUITS),
        keys=st.sampled_from([(), KEYS, KEYS[:1]]),
        early=st.sampled_from([False, False, False, True]),
    )
    def admit(self, client: int, circuit: Circuit, keys: tuple[str, ...], early: bool) -> Any:
        now, record = self.clock.monotonic(), self.records[circuit]
        answer, steady = self.run(self.ask(client, circuit, keys, early=early))
        if not self.breakers[client].asked:
            self.may_be_repeated(answer, keys, self.said[client][circuit])
            return Issued(ticket=answer, client=client, at=now) if isinstance(answer, Ticket) else multiple()
        lease = answer.lease if isinstance(answer, Ticket) else None
        decision = rules.admit(
            record,
            self.asides,
            circuit,
            keys=keys,
            lease=lease or "not granted",
            now=now,
            policy=self.policy,
            early=early,
        )
        assert answer == decision.answer
        if early:
            assert steady == decision.steady
        elif decision.steady:
            self.said[client][circuit] = Said(answer=answer, keys=keys, at=now)
        else:
            self.said[client].pop(circuit, None)
        self.records[circuit], self.asides = decision.record, decision.asides
        if not isinstance(answer, Ticket):
            return multiple()
        issued = Issued(ticket=answer, client=client, at=now)
        if record.mode is BreakerMode.NORMAL and not early:
            assert now >= self.refuses_until[circuit], "a call was let through while open"
        if answer.probe:
            alive = [probe for probe in self.probes[circuit] if now < probe.at + self.policy.probe_lease_s]
            assert not alive, "two leases at once"
            self.probes[circuit].append(issued)
        return issued

    def may_be_repeated(self, answer: Ticket | Refusal, keys: tuple[str, ...], said: Said) -> None:
        """It is what Redis said less than a second ago, and nobody is let through to a circuit that is due again."""
        age_s, record = self.clock.monotonic() - said.at, self.records[answer.circuit]
        assert age_s < REMEMBER_S
        assert keys == said.keys
        if isinstance(answer, Ticket):
            assert not answer.probe
            assert answer == said.answer
            assert not record.open_until or self.clock.monotonic() < record.open_until
        else:
            assert isinstance(said.answer, Refusal)
            assert said.answer.retry_in_s is not None
            assert answer == replace(said.answer, retry_in_s=said.answer.retry_in_s - age_s)
            assert answer.reason is RefusalReason.OPEN
            assert answer.retry_in_s is not None
            assert answer.retry_in_s > 0

    @rule(
        issued=consumes(tickets),
        verdict=st.sampled_from([Verdict.FAILURE, Verdict.FAILURE, *Verdict]),
        cause=st.sampled_from([FailureKind.OVERLOADED, FailureKind.FIRST_TOKEN_TIMEOUT, None]),
        retry_after_s=st.sampled_from([None, None, 0.0, -1.0, 5.5, 450.0, 1e9]),
    )
    def report(self, issued: Issued, verdict: Verdict, cause: FailureKind | None, retry_after_s: float | None) -> None:
        ticket, now = issued.ticket, self.clock.monotonic()
        circuit = ticket.circuit
        before = self.records[circuit]
        cause = None if verdict in (Verdict.SUCCESS, Verdict.SLOW, Verdict.NEUTRAL) else cause
        counted = self.run(
            self.breakers[issued.client].report(ticket, verdict, cause=cause, retry_after_s=retry_after_s)
        )
        outcome = rules.report(
            before,
            self.asides,
            ticket,
            verdict=verdict,
            cause=cause,
            retry_after_s=retry_after_s,
            now=now,
            policy=self.policy,
        )
        assert counted == outcome.counted
        if verdict in (Verdict.FAILURE, Verdict.SLOW) or not outcome.counted or outcome.event is not None:
            self.said[issued.client].pop(circuit, None)
        self.records[circuit], self.asides = outcome.record, outcome.asides
        if not counted:
            assert outcome.record == before, "a stale report changed something"
            return
        self.probes[circuit] = [probe for probe in self.probes[circuit] if probe.ticket != ticket]
        self.keep_books(ticket, verdict, before)

    def keep_books(self, ticket: Ticket, verdict: Verdict, before: Record) -> None:
        """Opens by rule: so many failures in a row, none more than ten minutes after the last."""
        circuit, now, after = ticket.circuit, self.clock.monotonic(), self.records[ticket.circuit]
        row = self.failures_in_a_row[circuit]
        if ticket.probe or before.open_until:
            row.clear()
        elif verdict is Verdict.FAILURE:
            if row and now - row[-1] > self.policy.consecutive_within_s:
                row.clear()
            row.append(now)
            if len(row) >= self.policy.consecutive:
                assert after.open_until >= now + self.policy.open_s, "did not open"
        elif verdict in (Verdict.SUCCESS, Verdict.SLOW):
            row.clear()
        if not after.open_until:
            self.refuses_until[circuit] = 0.0
        elif verdict is Verdict.FAILURE and (ticket.probe or not before.open_until):
            row.clear()
            self.refuses_until[circuit] = max(self.refuses_until[circuit], now + self.policy.open_s)

    @rule(
        client=st.integers(0, 2),
        circuit=st.sampled_from(CIRCUITS),
        key=st.sampled_from(["", *KEYS]),
        cause=st.sampled_from([FailureKind.RATE_LIMITED, FailureKind.QUOTA, FailureKind.BAD_KEY]),
        for_s=st.sampled_from([-1.0, 1.25, 30.0, 300.0, 1e7]),
    )
    def set_aside(self, client: int, circuit: Circuit, key: str, cause: FailureKind, for_s: float) -> None:
        aside = SetAside(circuit=circuit, key=key, pause=cause is FailureKind.RATE_LIMITED, cause=cause, for_s=for_s)
        self.run(self.breakers[client].set_aside(aside))
        if for_s > 0:
            self.said[client].clear()
        every_model = policy_for(cause).every_model
        self.asides = set_aside(
            self.asides, aside, every_model=every_model, now=self.clock.monotonic(), policy=self.policy
        )

    @precondition(lambda self: any(record.generation > 3 for record in self.records.values()))
    @rule(
        client=st.integers(0, 2),
        circuit=st.sampled_from(CIRCUITS),
        what=st.sampled_from(["isolate", "observe", "reset", "reset"]),
    )
    def override(self, client: int, circuit: Circuit, what: str) -> None:
        breaker, record = self.breakers[client], self.records[circuit]
        self.said[client].clear()
        if what == "isolate":
            self.run(breaker.isolate(circuit))
            self.records[circuit] = rules.in_mode(record, BreakerMode.ISOLATED)
        elif what == "observe":
            self.run(breaker.observe_only(circuit))
            self.records[circuit] = rules.in_mode(record, BreakerMode.OBSERVE)
        else:
            self.run(breaker.reset(circuit))
            self.records[circuit] = rules.reset(record, now=self.clock.monotonic())
            self.asides = without_asides(self.asides, circuit)
            self.refuses_until[circuit] = 0.0
        self.probes[circuit].clear()
        self.failures_in_a_row[circuit].clear()

    @rule(quarters=st.sampled_from([1, 4, 19, 20, 52, 240, 300, 1200, 1201, 2400, 3600, 14_400, 400_000]))
    def advance(self, quarters: int) -> None:
        self.clock.advance(quarters / 4)

    @invariant()
    def redis_holds_what_the_rules_say(self) -> None:
        if not hasattr(self, "client"):
            return
        now, live = self.clock.monotonic(), rules.live_buckets
        records, asides = self.run(self.stored())
        for circuit, stored in zip(CIRCUITS, records, strict=True):
            record = self.records[circuit]
            assert replace(stored, window=live(stored.window, now, self.policy)) == replace(
                record, window=live(record.window, now, self.policy)
            )
        assert asides == self.asides

    def always_probes_again(self) -> None:
        """Whatever happened, a circuit that nobody keeps shut is asked again, and one success closes it."""
        self.clock.advance(2 * 86_400)
        for circuit in CIRCUITS:
            if self.records[circuit].mode is not BreakerMode.NORMAL:
                continue
            for _ in range(self.policy.successes_to_close):
                ticket = self.run(self.breakers[0].admit(circuit, keys=KEYS))
                assert isinstance(ticket, Ticket)
                assert self.run(self.breakers[0].report(ticket, Verdict.SUCCESS))
            (seen,) = self.run(self.breakers[0].snapshot([circuit]))
            assert seen.state is BreakerState.CLOSED

    async def ask(
        self, client: int, circuit: Circuit, keys: tuple[str, ...], *, early: bool
    ) -> tuple[Ticket | Refusal, bool]:
        """The answer, and whether it is steady where Redis was asked directly."""
        breaker = self.breakers[client]
        breaker.asked = False
        return (
            await breaker._admit(circuit, keys, early=True)
            if early
            else (await breaker.admit(circuit, keys=keys), False)
        )

    async def stored(self) -> tuple[list[Record], Asides]:
        """Everything that Redis holds, in one round trip."""
        tag = f"{self.prefix}{{{CIRCUITS[0].provider}}}"
        pipeline = self.client.pipeline(transaction=False)
        for circuit in CIRCUITS:
            pipeline.hgetall(f"{tag}:circuit:{circuit.model}")
            pipeline.hgetall(f"{tag}:window:{circuit.model}")
        pipeline.hgetall(f"{tag}:asides")
        replies = await pipeline.execute()
        *hashes, asides = [{name.decode(): value.decode() for name, value in reply.items()} for reply in replies]
        return [decode_record(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)], decode_asides(asides)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)


FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_redis_and_the_rules_agree_and_no_promise_breaks(redis_socket: Path) -> None:
    Fleet.socket = redis_socket
    run_state_machine_as_test(
        Fleet,
        settings=settings(
            max_examples=2000 if FULL else 200,
            stateful_step_count=50,
            deadline=None,
            derandomize=not FULL,
            suppress_health_check=list(HealthCheck),
        ),
    )
