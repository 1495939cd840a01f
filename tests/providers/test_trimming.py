"""A prompt that is too long: trimmed to a model's window before it is sent, or once when a vendor says so."""

from dataclasses import dataclass, replace
from pathlib import Path

from maya_core.domain.generation import Caller, Prompt, PromptMessage, Purpose, Switched
from maya_core.errors import FailureKind
from maya_core.providers.chain import FallbackChain
from maya_core.providers.port import Windowed
from maya_core.providers.shorter import KEPT_CHARACTERS, shortened
from tests.faults.test_degradation import chosen, running, said
from tests.providers.actors import END, Actor, Books, Seen, chain_of, read
from tests.support.vendors import Behaviour, Vendor
from tests.support.vendors.server import FakeVendors

TOO_LONG = (FailureKind.TOO_LONG,)
EARLIER = [PromptMessage(role=role, text=f"{n} " + "x" * 900) for n in range(10) for role in ("user", "assistant")]
LONG = Prompt(system="Be brief.", messages=(*EARLIER, PromptMessage(role="user", text="Where is the offsite?")))


@dataclass
class Small(Actor):
    """A model with a window of so many tokens."""

    window_tokens: int = 8_000


async def asked(
    *actors: Actor, prompt: Prompt = LONG, local: tuple[Actor, ...] = (), offline: Actor | None = None
) -> Seen:
    breaker = Books()
    chain: FallbackChain = chain_of(*actors, breaker=breaker, local=local, offline=offline)
    seen = await read(chain, prompt)
    assert breaker.every_ticket_came_back_once()
    return seen


async def test_a_prompt_that_fits_a_window_is_sent_as_it_is_and_one_that_does_not_is_trimmed() -> None:
    large, small = Small("ollama", window_tokens=10_000), Small("ollama", window_tokens=6_000)
    assert isinstance(large, Windowed)
    whole, less = await asked(local=(large,)), await asked(local=(small,))
    assert (large.calls[0][1], whole.done.trimmed) == (LONG, False)
    assert (small.calls[0][1], less.done.trimmed) == (shortened(LONG), True)
    assert small.calls[0][1].messages[-1] == LONG.messages[-1]


async def test_a_question_that_fits_no_window_is_not_sent_there() -> None:
    small, offline = Small("ollama", window_tokens=3_000), Actor("offline")
    question = replace(LONG, messages=(PromptMessage(role="user", text="word " * 2_000),))
    seen = await asked(local=(small,), offline=offline, prompt=question)
    assert (small.calls, seen.done.provider) == ([], "offline")
    assert seen.done.attempts[0].sentence == "The conversation is too long for Ollama."


async def test_a_vendor_that_finds_it_too_long_is_asked_once_more_with_less() -> None:
    gemini, other = Actor("gemini", [TOO_LONG, ("All good.", END)], keys=("key1",)), Actor("anthropic")
    seen = await asked(gemini, other)
    assert [prompt for _, prompt in gemini.calls] == [LONG, shortened(LONG)]
    assert (other.calls, seen.of(Switched)) == ([], [])
    assert (seen.text, seen.done.provider, seen.done.trimmed) == ("All good.", "gemini", True)
    assert [attempt.kind for attempt in seen.done.attempts] == [FailureKind.TOO_LONG, None]


async def test_what_is_too_long_even_so_goes_to_one_other_trimmed_and_then_to_nobody() -> None:
    gemini, other, third = Actor("gemini", [TOO_LONG]), Actor("anthropic", [TOO_LONG]), Actor("cohere")
    seen = await asked(gemini, other, third)
    assert [len(gemini.calls), len(other.calls), len(third.calls)] == [2, 1, 0]
    assert other.calls[0][1] == shortened(LONG)
    assert seen.failed is not None


async def test_a_vendor_asked_as_the_last_resort_has_nobody_asked_twice_after_it() -> None:
    gemini, ollama, breaker = Actor("gemini", [TOO_LONG]), Actor("ollama", [(FailureKind.OVERLOADED,)]), Books()
    offline = Actor("offline")
    await breaker.trip(gemini)
    seen = await read(chain_of(gemini, breaker=breaker, local=[ollama], offline=offline), LONG)
    assert (len(gemini.calls), len(ollama.calls), seen.done.provider) == (1, 1, "offline")
    assert ollama.calls[0][1] == shortened(LONG)


async def test_nothing_is_asked_again_where_there_is_nothing_to_trim() -> None:
    question = replace(LONG, messages=LONG.messages[-1:])
    background = replace(LONG, caller=Caller(purpose=Purpose.CONSOLIDATION))
    for prompt in (question, background):
        gemini, other = Actor("gemini", [TOO_LONG]), Actor("anthropic")
        seen = await asked(gemini, other, prompt=prompt)
        assert (len(gemini.calls), seen.done.provider, seen.done.trimmed) == (1, "anthropic", False)
    small = Small("ollama", window_tokens=6_000)
    assert (await asked(local=(small,), prompt=background)).failed is not None
    assert small.calls == []


async def test_who_answers_without_a_model_has_the_whole_chat() -> None:
    offline = Actor("offline")
    seen = await asked(Actor("gemini", [TOO_LONG, (FailureKind.OVERLOADED,)]), offline=offline)
    assert (offline.calls[0][1], seen.done.trimmed) == (LONG, False)


async def test_text_that_is_shown_already_takes_its_room_in_the_window() -> None:
    broken = Actor("gemini", [("y" * 6_000, FailureKind.STREAM_BROKEN)])
    small = Small("ollama", window_tokens=10_000)
    seen = await asked(broken, local=(small,))
    assert seen.done.trimmed
    [(_, sent)] = small.calls
    assert sent.messages[:-2] == shortened(LONG).messages
    assert sent.messages[-2].text == "y" * 6_000


async def test_a_long_chat_is_cut_by_maya_and_not_silently_by_ollama_and_the_receipt_says_so(tmp_path: Path) -> None:
    with FakeVendors() as vendors:
        vendors.default(Vendor.OLLAMA, Behaviour(text=("A long story. " * 300,)))
        where = {"OLLAMA_HOST": vendors.url("ollama"), "API_MONTHLY_LIMIT": "100"}  # titles by first words
        async with running(chosen(tmp_path, **where), vendors=True) as container:
            first = await said(container, "Tell me a story. " * 100)
            chat = first.conversation_id
            replies = [await said(container, f"And then, {n}? " + "Go on. " * 300, chat=chat) for n in range(6)]
            notes = [reply.receipt.notes for reply in (first, *replies) if reply.receipt is not None]
            assert notes[0] == ()
            assert notes[-1] == ("Older context was trimmed.",)
            for request in vendors.requests("ollama"):
                sent = request.body["messages"]
                assert sent[0]["role"] == "system"
                assert sum(len(message["content"]) for message in sent) / 3 + 2048 <= request.body["options"]["num_ctx"]
            last = [message["content"] for message in vendors.requests("ollama")[-1].body["messages"]]
            assert last[-1].startswith("And then, 5?")
            assert sum(map(len, last[1:-1])) <= KEPT_CHARACTERS
