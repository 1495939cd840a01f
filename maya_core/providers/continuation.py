"""Asking another model to go on with a reply that broke off."""

from dataclasses import replace

from maya_core.domain.generation import Prompt, PromptMessage

_GO_ON = (
    "Your reply above was cut off by a technical fault. Continue it from exactly where it stops, in the same language"
    " and format. Do not repeat what is already written, do not start over, and do not mention the interruption."
)


def continued(prompt: Prompt, partial: str) -> Prompt:
    """The prompt that asks for the rest of `partial`, which a reader has seen already. `partial` is not blank."""
    written = PromptMessage(role="assistant", text=partial)
    return replace(prompt, messages=(*prompt.messages, written, PromptMessage(role="user", text=_GO_ON)))
