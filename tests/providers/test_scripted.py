"""The provider that plays a script."""

import asyncio

import pytest

from maya_core.domain.generation import Finished, FinishReason, TextDelta, Usage
from maya_core.errors import FailureKind, ProviderError
from maya_core.providers.scripted import ScriptedProvider
from tests.providers.adapters import PROMPT, read

END = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=2))


async def test_scripts_are_played_in_order_and_the_last_one_again() -> None:
    provider = ScriptedProvider(
        [[TextDelta(text="a"), FailureKind.OVERLOADED], [TextDelta(text="b"), END]], keys=("k1",)
    )
    first, second, third = [await read(provider) for _ in range(3)]
    assert first.error is not None
    assert (first.text, first.error.kind, first.error.provider) == ("a", FailureKind.OVERLOADED, "scripted")
    assert (second.text, second.finished, third.text) == ("b", END, "b")
    assert list(provider.asked) == [(PROMPT, "k1")] * 3


async def test_a_given_error_is_raised_as_it_is() -> None:
    error = ProviderError(FailureKind.QUOTA, provider="scripted", model="script", retry_after_s=9.0)
    assert (await read(ScriptedProvider([[error]]))).error is error


async def test_a_script_without_an_end_is_a_broken_stream() -> None:
    reply = await read(ScriptedProvider([[TextDelta(text="a")]]))
    assert reply.error is not None
    assert reply.error.kind is FailureKind.STREAM_BROKEN


async def test_a_step_to_wait_for_holds_the_script() -> None:
    go = asyncio.Event()
    task = asyncio.ensure_future(read(ScriptedProvider([[TextDelta(text="a"), go.wait, END]])))
    await asyncio.sleep(0.01)
    assert not task.done()
    go.set()
    assert (await task).finished == END


def test_a_provider_without_scripts_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one script"):
        ScriptedProvider([])
