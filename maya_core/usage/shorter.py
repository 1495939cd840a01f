"""A prompt that costs less: fewer of the earlier messages, the same instructions, memories and question."""

from dataclasses import replace

from maya_core.domain.generation import Prompt

KEPT_CHARACTERS = 4_000


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
