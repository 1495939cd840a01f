"""The 23 rows of the error table at the chain: who is asked, what is shown, what the breaker hears, what is set aside.

Each row is played before the first visible text and after it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.generation import ChainFailed, Chunk, Finished, FinishReason, Usage
from maya_core.domain.health import Verdict
from maya_core.errors import FailureKind
from maya_core.providers.deadlines import ChainLimits
from tests.providers.actors import END, HANG, PROMPT, Actor, Books, Seen, Step, chain_of, quick, read

FAILURE, IGNORED, NEUTRAL = Verdict.FAILURE, Verdict.IGNORED, Verdict.NEUTRAL
CUT = "The offsite is in Por"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One failure of the first provider and what has to come of it.

    `step` is next_provider, next_key or stop; `aside` the kind of thing set aside: "", "key", "model" or "pause".
    """

    number: int
    fails: Step
    kind: FailureKind
    verdict: Verdict
    step: str = "next_provider"
    aside: str = ""
    kind_after_text: FailureKind | None = None

    def __str__(self) -> str:
        return f"row {self.number} {self.kind.value}"


ROWS = [
    Row(number=1, fails=FailureKind.CONNECT, kind=FailureKind.CONNECT, verdict=FAILURE),
    Row(number=3, fails=HANG, kind=FailureKind.FIRST_TOKEN_TIMEOUT, verdict=FAILURE,
        kind_after_text=FailureKind.STREAM_BROKEN),
    Row(number=4, fails=FailureKind.OVERLOADED, kind=FailureKind.OVERLOADED, verdict=FAILURE),
    Row(number=5, fails=FailureKind.RATE_LIMITED, kind=FailureKind.RATE_LIMITED, verdict=IGNORED, step="next_key",
        aside="pause"),
    Row(number=6, fails=FailureKind.QUOTA, kind=FailureKind.QUOTA, verdict=IGNORED, step="next_key", aside="key"),
    Row(number=7, fails=FailureKind.BILLING, kind=FailureKind.BILLING, verdict=IGNORED, step="next_key", aside="key"),
    Row(number=8, fails=FailureKind.BAD_KEY, kind=FailureKind.BAD_KEY, verdict=IGNORED, step="next_key", aside="key"),
    Row(number=9, fails=FailureKind.FORBIDDEN, kind=FailureKind.FORBIDDEN, verdict=IGNORED, step="next_key",
        aside="key"),
    Row(number=10, fails=FailureKind.MODEL_GONE, kind=FailureKind.MODEL_GONE, verdict=IGNORED, aside="model"),
    Row(number=11, fails=FailureKind.BAD_REQUEST, kind=FailureKind.BAD_REQUEST, verdict=IGNORED),
    Row(number=12, fails=FailureKind.TOO_LONG, kind=FailureKind.TOO_LONG, verdict=IGNORED),
    Row(number=13, fails=FailureKind.BLOCKED, kind=FailureKind.BLOCKED, verdict=IGNORED, step="stop"),
    Row(number=14, fails=FailureKind.EMPTY, kind=FailureKind.EMPTY, verdict=FAILURE),
    Row(number=15, fails=FailureKind.STREAM_BROKEN, kind=FailureKind.STREAM_BROKEN, verdict=FAILURE),
    Row(number=18, fails=TypeError("adapter bug"), kind=FailureKind.UNKNOWN, verdict=IGNORED),
    Row(number=19, fails=FailureKind.CANCELLED, kind=FailureKind.CANCELLED, verdict=NEUTRAL),
]  # fmt: skip


async def play(row: Row, *, after_text: bool) -> tuple[Seen, Actor, Actor, Books]:
    first_scene: tuple[Step, ...] = (CUT, row.fails) if after_text else (row.fails,)
    primary = Actor("gemini", [first_scene, ("to.", END)], keys=("key1", "key2"))
    backup = Actor("anthropic", [("to.", END)], keys=("key3",))
    breaker = Books()
    return await read(chain_of(primary, backup, breaker=breaker)), primary, backup, breaker


@pytest.mark.parametrize("after_text", [False, True], ids=["before text", "after text"])
@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_each_failure_is_met_as_the_table_says(row: Row, after_text: bool) -> None:
    seen, primary, backup, breaker = await play(row, after_text=after_text)
    kind = (row.kind_after_text or row.kind) if after_text else row.kind
    shown = CUT if after_text else ""

    assert breaker.told_of(primary)[0] == (row.verdict, kind)
    assert breaker.every_ticket_came_back_once()
    assert [key for key, _ in primary.calls] == (["key1", "key2"] if row.step == "next_key" else ["key1"])
    assert len(backup.calls) == (1 if row.step == "next_provider" else 0)
    if row.step == "stop":
        assert seen.failed is not None
        assert seen.failed.declined
        assert seen.text == shown
        assert [attempt.kind for attempt in seen.failed.attempts] == [kind]
        return
    assert seen.text == shown + "to."
    assert seen.done.provider == ("gemini" if row.step == "next_key" else "anthropic")
    assert [attempt.kind for attempt in seen.done.attempts] == [kind, None]
    assert seen.done.attempts[0].sentence.startswith(("Gemini", "The ", "No "))
    assert [(s.failed.kind, s.to_provider, s.after_text) for s in seen.switches] == (
        [] if row.step == "next_key" else [(kind, "anthropic", after_text)]
    )
    assert [(a.key, a.pause, a.cause) for a in breaker.asides] == {
        "": [],
        "key": [("key1", False, kind)],
        "pause": [("key1", True, kind)],
        "model": [("", False, kind)],
    }[row.aside]


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_after_text_the_next_one_is_asked_to_continue_what_was_shown(row: Row) -> None:
    """Row 16: nothing is glued silently; the partial text goes along as the model's own, with the order to go on."""
    _, primary, backup, _ = await play(row, after_text=True)
    for _, prompt in [*primary.calls[1:], *backup.calls]:
        assert prompt.messages[:-2] == PROMPT.messages
        assert (prompt.messages[-2].role, prompt.messages[-2].text) == ("assistant", CUT)
        assert prompt.messages[-1].role == "user"
        assert "Continue" in prompt.messages[-1].text


@pytest.mark.parametrize("cut", ["", CUT], ids=["before text", "after text"])
async def test_row_2_our_own_network_being_down_counts_against_nobody(cut: str) -> None:
    gemini = Actor("gemini", [(cut, FailureKind.STREAM_BROKEN)] if cut else [(FailureKind.CONNECT,)])
    anthropic = Actor("anthropic", [(FailureKind.CONNECT,)])
    cohere = Actor("cohere", [(FailureKind.CONNECT,)])
    ollama = Actor("ollama")
    breaker = Books()
    seen = await read(chain_of(gemini, anthropic, cohere, breaker=breaker, local=[ollama]))
    assert seen.done.provider == "ollama"
    assert seen.text == cut + "All good."
    if cut:  # gemini was connected to, so only the last two count as unreachable
        assert breaker.told_of(gemini) == [(FAILURE, FailureKind.STREAM_BROKEN)]
        assert breaker.told_of(cohere) == [(NEUTRAL, FailureKind.EGRESS_DOWN)]
    else:
        assert breaker.told_of(gemini) == [(NEUTRAL, FailureKind.EGRESS_DOWN)]
        assert cohere.calls == []
    assert breaker.told_of(anthropic) == [(NEUTRAL, FailureKind.EGRESS_DOWN)]
    assert breaker.every_ticket_came_back_once()


@pytest.mark.parametrize("cut", ["", CUT], ids=["before text", "after text"])
async def test_row_17_cut_by_the_token_limit_is_an_answer(cut: str) -> None:
    """Before text there is nothing that a length limit could have cut: that is an empty reply."""
    length = Finished(reason=FinishReason.LENGTH, usage=Usage(input_tokens=1, output_tokens=2))
    gemini, backup = Actor("gemini", [(cut, length)] if cut else [(length,)]), Actor("anthropic")
    breaker = Books()
    seen = await read(chain_of(gemini, backup, breaker=breaker))
    if cut:
        assert (seen.done.provider, seen.done.reason, seen.text) == ("gemini", FinishReason.LENGTH, CUT)
        assert breaker.told_of(gemini) == [(Verdict.SUCCESS, None)]
    else:
        assert seen.done.provider == "anthropic"
        assert breaker.told_of(gemini) == [(FAILURE, FailureKind.EMPTY)]


@pytest.mark.parametrize("cut", [(), (CUT,)], ids=["before text", "after text"])
async def test_row_19_a_stop_says_nothing_about_the_provider(cut: tuple[str, ...]) -> None:
    gemini, backup, breaker = Actor("gemini", [(*cut, HANG)]), Actor("anthropic"), Books()
    chain = chain_of(gemini, backup, breaker=breaker, limits=ChainLimits())
    seen = Seen()

    async def turn() -> None:
        async for event in chain.stream(PROMPT):
            seen.events.append(event)

    task = asyncio.create_task(turn())
    for _ in range(50):
        await asyncio.sleep(0)
    assert gemini.running
    assert len(seen.of(Chunk)) == len(cut)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await chain.delivered()
    assert breaker.told_of(gemini) == [(NEUTRAL, None)]
    assert seen.text == "".join(cut)
    assert backup.calls == []
    assert gemini.running == 0


@pytest.mark.parametrize("cut", ["", CUT], ids=["before text", "after text"])
async def test_row_20_a_refused_provider_is_passed_over_without_a_request(cut: str) -> None:
    first = Actor("gemini", [(cut, FailureKind.OVERLOADED)] if cut else [(FailureKind.OVERLOADED,)])
    resting, last = Actor("anthropic"), Actor("cohere")
    breaker = Books()
    await breaker.trip(resting)
    seen = await read(chain_of(first, resting, last, breaker=breaker))
    assert seen.done.provider == "cohere"
    assert resting.calls == []
    refused = seen.done.attempts[1]
    assert (refused.provider, refused.kind, refused.retry_in_s) == ("anthropic", FailureKind.REFUSED, 300.0)
    assert refused.sentence == "Anthropic is resting after repeated failures."
    assert [(s.failed.provider, s.to_provider) for s in seen.switches] == [("gemini", "cohere")]


@pytest.mark.parametrize("cut", ["", CUT], ids=["before text", "after text"])
async def test_row_21_a_failing_local_model_is_the_end(cut: str) -> None:
    cloud = Actor("gemini", [(cut, FailureKind.OVERLOADED)] if cut else [(FailureKind.OVERLOADED,)])
    ollama = Actor("ollama", [(FailureKind.OVERLOADED,)])
    breaker = Books()
    seen = await read(chain_of(cloud, breaker=breaker, local=[ollama]))
    assert isinstance(seen.failed, ChainFailed)
    assert not seen.failed.declined
    assert [a.provider for a in seen.failed.attempts] == ["gemini", "ollama"]
    assert breaker.told_of(ollama) == [(FAILURE, FailureKind.OVERLOADED)]
    assert seen.text == cut


@pytest.mark.parametrize("pieces", [("{not json",), ("{", "not json")], ids=["at once", "after text"])
async def test_row_22_the_chain_does_not_judge_what_a_reply_says(pieces: tuple[str, ...]) -> None:
    """Whether text is the JSON that a background job wanted is the job's affair; the provider did its work."""
    gemini, breaker = Actor("gemini", [(*pieces, END)]), Books()
    seen = await read(chain_of(gemini, breaker=breaker))
    assert seen.text == "{not json"
    assert breaker.told_of(gemini) == [(Verdict.SUCCESS, None)]


@pytest.mark.parametrize(
    ("scene_of", "verdict"),
    [
        (lambda clock: (lambda: clock.advance(20.5), "late", END), Verdict.SLOW),
        (lambda clock: (lambda: clock.advance(19.5), "in time", END), Verdict.SUCCESS),
        (lambda clock: ("a", lambda: clock.advance(14.0), "b", END), Verdict.SLOW),
        (lambda clock: ("a", lambda: clock.advance(13.0), "b", END), Verdict.SUCCESS),
        (lambda clock: ("a", lambda: clock.advance(1.9), Finished(reason=FinishReason.STOP, usage=Usage(
            input_tokens=1, output_tokens=1))), Verdict.SUCCESS),
    ],
    ids=["late first text", "first text in time", "40 tokens in 14 s", "40 tokens in 13 s", "too short to tell"],
)  # fmt: skip
async def test_row_23_a_slow_answer_is_shown_and_counts_as_slow(
    scene_of: Callable[[ManualClock], Sequence[Step]], verdict: Verdict
) -> None:
    clock = ManualClock()
    gemini, breaker = Actor("gemini", [scene_of(clock)]), Books(clock)
    seen = await read(
        chain_of(
            gemini, breaker=breaker, clock=clock, limits=quick(cloud_first_text_s=60, first_text_s=90, total_s=180)
        )
    )
    assert seen.done.provider == "gemini"
    assert breaker.told_of(gemini) == [(verdict, None)]
