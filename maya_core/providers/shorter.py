"""A prompt that is shorter: fewer of the earlier messages, the same instructions, memories and question."""

from dataclasses import replace

from maya_core.domain.generation import Prompt, Purpose

KEPT_CHARACTERS = 4_000

_BYTES_PER_TOKEN = 3  # English has about four; what counts here is that nothing is cut off
_MESSAGE_TOKENS = 8


def shortened(prompt: Prompt) -> Prompt:
    """Keep the newest messages up to 4,000 characters, beginning with a person's; the last one whole."""
    *earlier, newest = prompt.messages
    kept = [newest]
    left = KEPT_CHARACTERS - len(newest.text)
    for message in reversed(earlier):
        left -= len(message.text)
        if left < 0:
            break
        kept.append(message)
    while len(kept) > 1 and kept[-1].role == "assistant":
        kept.pop()
    return replace(prompt, messages=tuple(reversed(kept)))


def can_be_shortened(prompt: Prompt) -> bool:
    """It has older context to go without. What is asked in the background is always one piece."""
    return prompt.caller.purpose is Purpose.CHAT and shortened(prompt) != prompt


def fitted(prompt: Prompt, window_tokens: int, *, written: str = "") -> Prompt | None:
    """The prompt as it is, or shortened, so that it fits a model's window with its reply; None when neither does.

    `written` is the beginning of that reply, where it has one already.
    """
    tries = (prompt, shortened(prompt)) if can_be_shortened(prompt) else (prompt,)
    room = window_tokens - prompt.max_output_tokens - _tokens(written)
    return next((each for each in tries if _size(each) <= room), None)


def _size(prompt: Prompt) -> int:
    """About how many tokens a prompt costs, rather too many."""
    return _tokens(prompt.system) + sum(_tokens(message.text) for message in prompt.messages)


def _tokens(text: str) -> int:
    return len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN + _MESSAGE_TOKENS
