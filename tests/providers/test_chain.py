"""The order of the chain: whom it asks, when it stops, what it costs to wait, and that no ticket is ever lost."""

import asyncio
import logging
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maya_core.clock import ManualClock, SystemClock
from maya_core.domain.generation import Asking, ChainFailed, Chunk, Done
from maya_core.domain.health import Ticket, Verdict
from maya_core.errors import ConfigurationError, FailureKind, ProviderError
from maya_core.providers.call import AdmittedCall
from maya_core.providers.chain import FallbackChain, Link
from maya_core.providers.deadlines import ChainLimits, Lapsed, Watch
from maya_core.providers.port import Deadlines
from tests.providers.actors import END, HANG, PROMPT, Actor, Books, Seen, chain_of, quick, read


async def test_a_healthy_provider_is_asked_and_its_text_passed_on() -> None:
    gemini, backup, breaker = Actor("gemini", keys=("key1", "key2")), Actor("anthropic"), Books()
    seen = await read(chain_of(gemini, backup, breaker=breaker))
    assert [type(event) for event in seen.events] == [Asking, Chunk, Chunk, Done]
    assert seen.text == "All good."
    assert seen.done.usage == END.usage
    assert [(a.provider, a.key, a.kind) for a in seen.done.attempts] == [("gemini", "key1", None)]
    assert breaker.told_of(gemini) == [(Verdict.SUCCESS, None)]
    assert gemini.calls == [("key1", PROMPT)]
    assert backup.calls == []


async def test_open_breaker_is_skipped_without_calling_the_provider() -> None:
    gemini, backup, breaker = Actor("gemini"), Actor("anthropic"), Books()
    await breaker.trip(gemini)
    seen = await read(chain_of(gemini, backup, breaker=breaker))
    assert gemini.calls == []
    assert seen.done.provider == "anthropic"
    (switch,) = seen.switches
    assert (switch.failed.kind, switch.failed.retry_in_s, switch.after_text) == (FailureKind.REFUSED, 300.0, False)


async def test_a_key_that_is_set_aside_is_not_asked_in_the_next_turn() -> None:
    gemini, breaker = Actor("gemini", [(FailureKind.QUOTA,), ("hi", END)], keys=("key1", "key2")), Books()
    chain = chain_of(gemini, breaker=breaker)
    assert (await read(chain)).done.attempts[-1].key == "key2"
    assert (await read(chain)).done.attempts[-1].key == "key2"
    assert [key for key, _ in gemini.calls] == ["key1", "key2", "key2"]


async def test_when_every_key_is_in_trouble_the_next_provider_is_asked() -> None:
    gemini = Actor("gemini", [(FailureKind.BAD_KEY,)], keys=("key1", "key2", "key3"))
    backup, breaker = Actor("anthropic"), Books()
    seen = await read(chain_of(gemini, backup, breaker=breaker))
    assert [key for key, _ in gemini.calls] == ["key1", "key2", "key3"]
    assert seen.done.provider == "anthropic"
    assert [switch.failed.key for switch in seen.switches] == ["key3"]


async def test_keys_in_trouble_do_not_use_up_the_attempts_but_failing_vendors_do() -> None:
    keyed = Actor("gemini", [(FailureKind.QUOTA,)], keys=("key1", "key2", "key3", "key4"))
    broken = [Actor(name, [(FailureKind.OVERLOADED,)]) for name in ("one", "two", "three")]
    fourth, ollama, breaker = Actor("four"), Actor("ollama"), Books()
    seen = await read(chain_of(keyed, *broken, fourth, breaker=breaker, local=[ollama]))
    assert [len(actor.calls) for actor in broken] == [1, 1, 1]
    assert fourth.calls == []
    assert seen.done.provider == "ollama"
    assert seen.done.attempts[-2].sentence == "Four was not asked: enough others had failed before."


@pytest.mark.parametrize("second", [FailureKind.BAD_REQUEST, FailureKind.UNKNOWN, FailureKind.TOO_LONG])
@pytest.mark.parametrize("first", [FailureKind.BAD_REQUEST, FailureKind.UNKNOWN, FailureKind.TOO_LONG])
async def test_a_request_that_two_providers_will_not_take_is_sent_to_no_third(
    first: FailureKind, second: FailureKind
) -> None:
    third, breaker = Actor("cohere"), Books()
    seen = await read(chain_of(Actor("gemini", [(first,)]), Actor("anthropic", [(second,)]), third, breaker=breaker))
    assert seen.failed is not None
    assert not seen.failed.declined
    assert [attempt.kind for attempt in seen.failed.attempts] == [first, second]
    assert third.calls == []


@pytest.mark.parametrize("kind", [FailureKind.BAD_REQUEST, FailureKind.TOO_LONG, FailureKind.BLOCKED])
async def test_a_thousand_wrong_requests_trip_nothing(kind: FailureKind) -> None:
    gemini, breaker = Actor("gemini", [(kind,)]), Books()
    chain = chain_of(gemini, breaker=breaker)
    for _ in range(1000):
        with suppress(ChainFailed):
            async for _ in chain.stream(PROMPT):
                pass
    await chain.delivered()
    assert len(gemini.calls) == 1000
    (snapshot,) = await breaker.snapshot([gemini.circuit])
    assert (snapshot.state, snapshot.failures) == ("closed", 0)


async def test_one_message_every_30_s_with_a_hung_primary_meets_it_twice_and_then_waits_for_nothing() -> None:
    clock = ManualClock()
    gemini, backup, breaker = Actor("gemini", [(HANG,)]), Actor("anthropic"), Books(clock)
    chain = chain_of(gemini, backup, breaker=breaker, clock=clock, limits=quick(first_token_s=0.15))
    patient = chain_of(gemini, backup, breaker=breaker, clock=clock, limits=quick(first_token_s=600.0))
    for number in (1, 2):
        started = time.perf_counter()
        assert (await read(chain)).done.provider == "anthropic"
        assert time.perf_counter() - started >= 0.15
        assert len(gemini.calls) == number
        clock.advance(30)
    async with asyncio.timeout(60):  # ten minutes, if it waited for the one that hangs
        assert (await read(patient)).done.provider == "anthropic"
    clock.advance(30)
    assert len(gemini.calls) == 2
    clock.advance(300)
    assert len(gemini.calls) == 2
    await read(chain)
    assert len(gemini.calls) == 3  # the one probe after the open time


async def test_a_hung_provider_costs_its_first_token_deadline_and_is_cancelled() -> None:
    gemini, backup, breaker = Actor("gemini", [(HANG,)]), Actor("anthropic"), Books()
    started = time.perf_counter()
    seen = await read(chain_of(gemini, backup, breaker=breaker, limits=quick(first_token_s=0.1, idle_s=4.0)))
    assert seen.done.provider == "anthropic"
    assert 0.1 <= time.perf_counter() - started < 2.0
    assert gemini.running == 0


async def test_a_stream_that_falls_silent_ends_after_the_idle_deadline_even_when_that_is_the_shorter_one() -> None:
    gemini, backup, breaker = Actor("gemini", [("a", HANG)]), Actor("anthropic"), Books()
    started = time.perf_counter()
    await read(chain_of(gemini, backup, breaker=breaker, limits=quick(first_token_s=4.0, idle_s=0.1)))
    assert 0.1 <= time.perf_counter() - started < 2.0
    assert breaker.told_of(gemini) == [(Verdict.FAILURE, FailureKind.STREAM_BROKEN)]


async def test_a_steady_stream_outlives_the_idle_deadline_many_times() -> None:
    pieces = [step for n in range(40) for step in (0.02, f"{n} ")]
    gemini, breaker = Actor("gemini", [(*pieces, END)]), Books()
    seen = await read(chain_of(gemini, breaker=breaker, limits=quick(first_token_s=0.4, idle_s=0.4)))
    assert len(seen.of(Chunk)) == 40


async def test_a_reader_that_takes_its_time_is_neither_cancelled_nor_blamed_on_the_provider() -> None:
    gemini, breaker = Actor("gemini", [("a", "b", END)]), Books()
    chain = chain_of(gemini, breaker=breaker, limits=quick(first_token_s=0.03, idle_s=0.03))
    text = ""
    async for event in chain.stream(PROMPT):
        await asyncio.sleep(0.08)
        text += event.text if isinstance(event, Chunk) else ""
    await chain.delivered()
    assert text == "ab"
    assert breaker.told_of(gemini) == [(Verdict.SUCCESS, None)]


async def test_a_later_provider_gets_more_patience_and_a_probe_less() -> None:
    slow = [(0.1, "late", END)]
    limits = quick(first_token_s=0.03, hop_first_token_s=2.0, probe_first_token_s=0.03)
    first, later, breaker = Actor("gemini", slow), Actor("anthropic", slow), Books()
    assert (await read(chain_of(first, later, breaker=breaker, limits=limits))).done.provider == "anthropic"

    clock = ManualClock()
    probed, backup, breaker = Actor("gemini", slow), Actor("anthropic"), Books(clock)
    await breaker.trip(probed)
    clock.advance(301)
    patient = quick(first_token_s=2.0, probe_first_token_s=0.03)
    seen = await read(chain_of(probed, backup, breaker=breaker, clock=clock, limits=patient))
    assert seen.done.provider == "anthropic"
    assert seen.done.attempts[0].probe
    assert seen.done.attempts[0].kind is FailureKind.FIRST_TOKEN_TIMEOUT


async def test_when_the_time_for_vendors_is_up_local_models_are_asked_and_nobody_is_blamed() -> None:
    limits = quick(first_token_s=2.0, cloud_first_text_s=0.1, first_text_s=4.0)
    gemini, never, ollama = Actor("gemini", [(HANG,)]), Actor("anthropic"), Actor("ollama")
    breaker = Books()
    seen = await read(chain_of(gemini, never, breaker=breaker, local=[ollama], limits=limits, clock=SystemClock()))
    assert seen.done.provider == "ollama"
    assert breaker.told_of(gemini) == [(Verdict.NEUTRAL, FailureKind.DEADLINE)]
    assert never.calls == []
    assert seen.done.attempts[1].sentence == "Anthropic was not asked: no time was left."


async def test_a_reply_that_never_ends_is_stopped_at_the_total_and_keeps_its_text() -> None:
    drip = ["drip ", "drip ", *(step for _ in range(1000) for step in (0.02, "drip "))]
    gemini, backup, breaker = Actor("gemini", [drip]), Actor("anthropic"), Books()
    patient = dict.fromkeys(("first_token_s", "idle_s", "cloud_first_text_s", "first_text_s"), 30.0)
    limits = quick(**patient, total_s=0.3)  # no other deadline than the total can pass, however late a piece comes
    seen = await read(chain_of(gemini, backup, breaker=breaker, limits=limits, clock=SystemClock()))
    assert seen.failed is not None
    assert seen.failed.attempts[-1].kind is FailureKind.DEADLINE
    assert seen.text.startswith("drip drip ")
    assert backup.calls == []
    assert breaker.told_of(gemini) == [(Verdict.NEUTRAL, FailureKind.DEADLINE)]


async def test_the_offline_answer_comes_even_when_all_the_time_is_gone() -> None:
    gemini, offline, breaker = Actor("gemini", [(HANG,)]), Actor("offline"), Books()
    limits = quick(first_token_s=2.0, total_s=0.05)
    seen = await read(chain_of(gemini, breaker=breaker, offline=offline, limits=limits, clock=SystemClock()))
    assert seen.done.provider == "offline"
    assert seen.done.attempts[0].kind is FailureKind.DEADLINE


async def test_a_reply_may_change_hands_twice_and_each_seam_is_announced() -> None:
    one = Actor("gemini", [("one ", FailureKind.STREAM_BROKEN)])
    two = Actor("anthropic", [("two ", FailureKind.STREAM_BROKEN)])
    three, breaker = Actor("cohere", [("three", END)]), Books()
    seen = await read(chain_of(one, two, three, breaker=breaker))
    assert seen.text == "one two three"
    assert [(s.failed.provider, s.to_provider, s.after_text) for s in seen.switches] == [
        ("gemini", "anthropic", True),
        ("anthropic", "cohere", True),
    ]
    assert three.calls[0][1].messages[-2].text == "one two "


async def test_the_offline_answer_never_continues_another_reply() -> None:
    broken = Actor("gemini", [("Port", FailureKind.STREAM_BROKEN)])
    offline, breaker = Actor("offline"), Books()
    seen = await read(chain_of(broken, breaker=breaker, offline=offline))
    assert seen.failed is not None
    assert offline.calls == []
    seen = await read(chain_of(Actor("gemini", [(FailureKind.OVERLOADED,)]), breaker=Books(), offline=offline))
    assert seen.done.provider == "offline"


async def test_one_unreachable_vendor_is_counted_as_soon_as_another_one_answers() -> None:
    gemini, backup, breaker = Actor("gemini", [(FailureKind.CONNECT,)]), Actor("anthropic"), Books()
    chain = chain_of(gemini, backup, breaker=breaker)
    async for event in chain.stream(PROMPT):
        if isinstance(event, Asking) and event.provider == "anthropic":
            assert breaker.told_of(gemini) == []
        if isinstance(event, Chunk):
            await chain.delivered()
            assert breaker.told_of(gemini) == [(Verdict.FAILURE, FailureKind.CONNECT)]
    await chain.delivered()
    assert breaker.every_ticket_came_back_once()


async def test_a_failed_connect_is_counted_when_there_is_no_other_vendor_to_compare_with() -> None:
    gemini, ollama, breaker = Actor("gemini", [(FailureKind.CONNECT,)]), Actor("ollama", [("a", HANG)]), Books()
    chain = chain_of(gemini, breaker=breaker, local=[ollama], limits=quick(idle_s=4.0))
    stream = chain.stream(PROMPT)
    async for event in stream:
        if isinstance(event, Chunk):
            break
    await chain.delivered()
    assert breaker.told_of(gemini) == [(Verdict.FAILURE, FailureKind.CONNECT)]
    await stream.aclose()


async def test_connects_that_fail_far_apart_are_each_vendors_own() -> None:
    clock = ManualClock()
    gemini = Actor("gemini", [(FailureKind.CONNECT,)])
    backup = Actor("anthropic", [(lambda: clock.advance(11), FailureKind.CONNECT)])
    breaker = Books(clock)
    await read(chain_of(gemini, backup, breaker=breaker, clock=clock, limits=ChainLimits(), local=[Actor("ollama")]))
    assert breaker.told_of(gemini) == breaker.told_of(backup) == [(Verdict.FAILURE, FailureKind.CONNECT)]


async def test_two_blocked_vendors_cannot_hide_a_third_that_works() -> None:
    gemini, anthropic = (Actor(name, [(FailureKind.CONNECT,)]) for name in ("gemini", "anthropic"))
    cohere, ollama, breaker = Actor("cohere"), Actor("ollama"), Books()
    chain = chain_of(gemini, anthropic, cohere, breaker=breaker, local=[ollama])
    answered_by = [(await read(chain)).done.provider for _ in range(6)]
    assert answered_by == ["ollama", "cohere", "ollama", "cohere", "cohere", "cohere"]
    assert len(gemini.calls) == 4  # two of the four were counted, which opened its breaker
    assert breaker.every_ticket_came_back_once()


async def test_with_every_vendor_resting_one_turn_in_ten_seconds_tries_the_one_due_first() -> None:
    clock = ManualClock()
    gemini, anthropic, ollama = Actor("gemini"), Actor("anthropic", [(FailureKind.OVERLOADED,)]), Actor("ollama")
    breaker = Books(clock)
    await breaker.trip(anthropic)
    clock.advance(100)
    await breaker.trip(gemini)
    chain = chain_of(gemini, anthropic, breaker=breaker, local=[ollama], clock=clock)
    answered_by = []
    for _ in range(3):
        answered_by.append((await read(chain)).done.provider)
        clock.advance(4)
    assert answered_by == ["ollama"] * 3
    assert (len(gemini.calls), len(anthropic.calls)) == (0, 1)
    assert (await read(chain)).done.provider == "gemini"  # the failed probe moved anthropic behind it
    assert breaker.every_ticket_came_back_once()


PASSING = [FailureKind.OVERLOADED, FailureKind.CONNECT, FailureKind.EMPTY]
LASTING = [FailureKind.FIRST_TOKEN_TIMEOUT, FailureKind.BAD_KEY, FailureKind.BAD_REQUEST, FailureKind.RATE_LIMITED]
AT_ONCE = ChainLimits(retry_wait_s=(0.0, 0.0))


@pytest.mark.parametrize("kind", PASSING)
async def test_the_only_vendor_is_asked_once_more_when_its_failure_may_pass(kind: FailureKind) -> None:
    gemini, breaker = Actor("gemini", [(kind,), ("hi", END)]), Books()
    seen = await read(chain_of(gemini, breaker=breaker, limits=AT_ONCE))
    assert seen.text == "hi"
    assert [attempt.kind for attempt in seen.done.attempts] == [kind, None]
    assert breaker.every_ticket_came_back_once()


@pytest.mark.parametrize("kind", PASSING)
async def test_it_is_asked_once_more_and_no_third_time(kind: FailureKind) -> None:
    gemini, breaker = Actor("gemini", [(kind,)]), Books()
    seen = await read(chain_of(gemini, breaker=breaker, limits=AT_ONCE))
    assert seen.failed is not None
    assert len(gemini.calls) == 2


@pytest.mark.parametrize("kind", LASTING)
async def test_a_failure_that_will_not_pass_is_not_tried_again(kind: FailureKind) -> None:
    gemini = Actor("gemini", [(kind,), ("hi", END)])
    seen = await read(chain_of(gemini, breaker=Books(), limits=AT_ONCE))
    assert seen.failed is not None
    assert len(gemini.calls) == 1


async def test_repeats_are_at_most_a_tenth_of_a_minutes_calls_and_one_is_always_allowed() -> None:
    gemini, clock, breaker = Actor("gemini", [(FailureKind.OVERLOADED,)]), ManualClock(), Books()
    chain = chain_of(gemini, breaker=breaker, limits=AT_ONCE, clock=clock)
    repeats = 0
    for turn in range(1, 51):
        assert (await read(chain)).failed is not None
        await breaker.reset(gemini.circuit)
        clock.advance(1.0)
        repeats = len(gemini.calls) - turn
        assert repeats <= max(1, 0.1 * len(gemini.calls))
    assert repeats == 5
    clock.advance(60.0)
    assert (await read(chain)).failed is not None
    assert len(gemini.calls) == 50 + repeats + 2


async def test_nobody_is_asked_twice_while_another_can_answer_or_text_was_shown() -> None:
    gemini, ollama = Actor("gemini", [(FailureKind.OVERLOADED,)]), Actor("ollama")
    assert (await read(chain_of(gemini, breaker=Books(), local=[ollama]))).done.provider == "ollama"
    assert len(gemini.calls) == 1
    cut = Actor("gemini", [("All ", FailureKind.OVERLOADED), ("good.", END)])
    assert (await read(chain_of(cut, breaker=Books(), limits=AT_ONCE))).failed is not None
    assert len(cut.calls) == 1


@pytest.mark.parametrize(("asked_s", "calls"), [(0.01, 2), (3.0, 1)])
async def test_the_wait_that_a_vendor_asks_for_is_kept_when_it_is_short(asked_s: float, calls: int) -> None:
    limited = ProviderError(FailureKind.RATE_LIMITED, provider="gemini", model="m1", retry_after_s=asked_s)
    gemini, clock = Actor("gemini", [(limited,), ("hi", END)], keys=("key1",)), SystemClock()
    seen = await read(chain_of(gemini, breaker=Books(clock), clock=clock, limits=ChainLimits()))
    assert len(gemini.calls) == calls
    assert (seen.failed is None) is (calls == 2)


async def test_nobody_waits_for_another_try_when_the_time_is_nearly_up() -> None:
    clock = ManualClock()
    gemini = Actor("gemini", [(lambda: clock.advance(30), FailureKind.OVERLOADED), ("hi", END)])
    chain = chain_of(gemini, breaker=Books(clock), clock=clock, limits=AT_ONCE)
    assert (await read(chain)).failed is not None
    assert len(gemini.calls) == 1


async def test_a_provider_with_all_its_places_taken_counts_as_busy_and_keeps_its_good_name() -> None:
    gemini, backup, breaker = Actor("gemini", [("a", HANG)]), Actor("anthropic"), Books()
    chain = chain_of(gemini, backup, breaker=breaker, limits=quick(calls_per_provider=2, idle_s=4.0))
    taken = [chain.stream(PROMPT) for _ in range(2)]
    for stream in taken:
        async for event in stream:
            if isinstance(event, Chunk):
                break
    seen = await read(chain)
    assert seen.done.provider == "anthropic"
    assert seen.done.attempts[0].sentence == "Gemini is busy with other requests."
    assert len(gemini.calls) == 2
    assert breaker.told_of(gemini) == [(Verdict.NEUTRAL, None)]
    for stream in taken:
        await stream.aclose()
    gemini.scenes = [("free again", END)]
    assert (await read(chain)).done.provider == "gemini"
    assert breaker.every_ticket_came_back_once()


async def test_a_busy_provider_is_not_tried_with_another_key_after_a_key_failed_elsewhere() -> None:
    keyed = Actor("gemini", [(FailureKind.QUOTA,)], keys=("key1",))
    busy, last = Actor("anthropic", [("a", HANG)], keys=("key2", "key3")), Actor("cohere")
    breaker = Books()
    chain = chain_of(keyed, busy, last, breaker=breaker, limits=quick(calls_per_provider=1, idle_s=4.0))
    holder = chain_of(busy, breaker=breaker).stream(PROMPT)
    await anext(holder)
    async with chain._slots[busy.circuit]:
        seen = await read(chain)
    await holder.aclose()
    assert [a.provider for a in seen.done.attempts] == ["gemini", "anthropic", "cohere"]


async def test_an_adapters_bug_costs_one_hop_and_only_its_type_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    gemini, backup, breaker = Actor("gemini", [(ValueError("a person's text"),)]), Actor("anthropic"), Books()
    with caplog.at_level(logging.DEBUG):
        seen = await read(chain_of(gemini, backup, breaker=breaker))
    assert seen.done.provider == "anthropic"
    assert "ValueError" in caplog.text
    assert "a person's text" not in caplog.text


async def test_a_stream_without_its_end_mark_is_broken_and_one_without_text_is_empty() -> None:
    unfinished, wordless, breaker = Actor("gemini", [("half",)]), Actor("anthropic", [(END,)]), Books()
    seen = await read(chain_of(unfinished, wordless, breaker=breaker))
    assert seen.failed is not None
    assert [a.kind for a in seen.failed.attempts] == [FailureKind.STREAM_BROKEN, FailureKind.EMPTY]


async def test_the_time_that_a_reader_takes_is_not_counted_as_the_providers() -> None:
    clock = ManualClock()
    gemini, breaker = Actor("gemini", [("a", "b", "c", END)]), Books(clock)
    chain = chain_of(gemini, breaker=breaker, clock=clock, limits=ChainLimits())
    async for event in chain.stream(PROMPT):
        if isinstance(event, Chunk):
            clock.advance(30)
    await chain.delivered()
    assert breaker.told_of(gemini) == [(Verdict.SUCCESS, None)]


async def test_trouble_while_closing_a_finished_stream_changes_nothing() -> None:
    gemini, breaker = Actor("gemini", error_on_close=RuntimeError("late")), Books()
    ticket = await breaker.admit(gemini.circuit, keys=())
    assert isinstance(ticket, Ticket)
    ends: list[AdmittedCall] = []
    call = AdmittedCall(
        gemini,
        ticket,
        deadlines=Deadlines(first_token_s=1, idle_s=1, total_s=1),
        first_text_left_s=1,
        limits=ChainLimits(),
        clock=ManualClock(),
        on_end=ends.append,
    )
    assert [text async for text in call.texts(PROMPT)] == ["All ", "good."]
    assert (call.finished, call.failure, ends) == (END, None, [call])

    breaker = Books()
    seen = await read(chain_of(gemini, breaker=breaker))
    assert seen.done.provider == "gemini"
    assert breaker.told_of(gemini) == [(Verdict.SUCCESS, None)]


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, 60),
    how=st.sampled_from(["cancel", "close"]),
    scenes=st.lists(
        st.sampled_from(
            [
                ("a", "b", END),
                ("a", 0.0, FailureKind.STREAM_BROKEN),
                (0.0, FailureKind.OVERLOADED),
                (0.0, FailureKind.CONNECT),
                (FailureKind.QUOTA,),
                (0.0, "a", HANG),
                (HANG,),
                (TypeError("bug"),),
                (0.0, FailureKind.BLOCKED),
            ]
        ),
        min_size=1,
        max_size=4,
    ),
)
async def test_every_ticket_comes_back_exactly_once_wherever_a_turn_is_cut_short(
    at: int, how: str, scenes: list[tuple[object, ...]]
) -> None:
    """`at` counts steps of the event loop for a cancellation, and events for a reader that goes away."""
    actors = [Actor(f"p{n}", [scene], keys=("key1", "key2")) for n, scene in enumerate(scenes)]
    breaker = Books(pauses=True)
    chain = chain_of(*actors, breaker=breaker, local=[Actor("ollama")], limits=ChainLimits(egress_window_s=10))
    seen = Seen()

    async def turn() -> None:
        stream = chain.stream(PROMPT)
        async for event in stream:
            seen.events.append(event)
            if how == "close" and len(seen.events) > at % 8:
                await stream.aclose()
                return

    task = asyncio.create_task(turn())
    for _ in range(at if how == "cancel" else 200):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError, ChainFailed):
        await task
    await chain.delivered()
    assert breaker.every_ticket_came_back_once()
    assert all(actor.running == 0 for actor in actors)


async def test_a_cancellation_that_comes_together_with_a_deadline_is_still_a_cancellation() -> None:
    loop = asyncio.get_running_loop()
    watch = Watch(loop.time() + 0.02)

    async def wait() -> None:
        with watch:
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    loop.call_at(watch.due, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_stop_that_an_adapter_turns_into_an_error_is_still_a_stop() -> None:
    gemini = Actor("gemini", [("a", HANG)], error_on_close=RuntimeError("while closing"))
    backup, breaker = Actor("anthropic"), Books()
    chain = chain_of(gemini, backup, breaker=breaker, limits=quick(idle_s=4.0))
    task = asyncio.create_task(read(chain))
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await chain.delivered()
    assert breaker.told_of(gemini) == [(Verdict.NEUTRAL, None)]
    assert backup.calls == []


async def test_a_deadline_leaves_no_cancellation_behind() -> None:
    watch = Watch(asyncio.get_running_loop().time() + 0.01)
    with pytest.raises(Lapsed), watch:
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_stop_is_reported_before_the_adapter_has_closed_its_connection() -> None:
    closing = asyncio.Event()
    gemini, breaker = Actor("gemini", [("a", HANG)], closing=closing), Books()
    chain = chain_of(gemini, breaker=breaker, limits=quick(idle_s=4.0))
    stream = chain.stream(PROMPT)
    async for event in stream:
        if isinstance(event, Chunk):
            break
    leaving = asyncio.create_task(stream.aclose())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not leaving.done()
    assert breaker.told_of(gemini) == [(Verdict.NEUTRAL, None)]
    closing.set()
    await leaving


async def test_closing_the_chain_delivers_what_is_under_way_and_closes_every_provider_once() -> None:
    gemini, ollama, breaker = Actor("gemini", [("a", HANG)]), Actor("ollama"), Books(pauses=True)
    chain = chain_of(gemini, breaker=breaker, local=[ollama])
    stream = chain.stream(PROMPT)
    await anext(stream)
    await stream.aclose()
    await chain.close()
    assert breaker.told_of(gemini) == [(Verdict.NEUTRAL, None)]
    assert (gemini.closed, ollama.closed) == (1, 1)


def test_a_chain_that_could_not_work_is_refused_when_it_is_built() -> None:
    breaker = Books()
    with pytest.raises(ConfigurationError, match="at least one"):
        FallbackChain([], breaker, clock=ManualClock())
    with pytest.raises(ConfigurationError, match="same name and model"):
        FallbackChain([Link(provider=Actor("a")), Link(provider=Actor("a"))], breaker, clock=ManualClock())
    with pytest.raises(ConfigurationError, match="at least 1"):
        ChainLimits(cloud_attempts=0)


def test_importing_the_chain_brings_in_no_sdk_no_redis_and_no_http_library() -> None:
    heavy = "anthropic google cohere ollama redis httpx httpx2 pydantic orjson pymongo streamlit"
    code = f"import sys, maya_core.providers.chain; print([m for m in {heavy.split()!r} if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert printed.stdout.strip() == "[]"
