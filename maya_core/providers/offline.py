"""The provider without a model: finds and quotes what was said, and says plainly that it can do no more."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

from maya_core.domain.generation import (
    Citation,
    Finished,
    FinishReason,
    Prompt,
    PromptMessage,
    ProviderEvent,
    TextDelta,
    Usage,
)
from maya_core.providers.passages import (
    Match,
    best_sentence,
    central_sentences,
    content_words,
    count_words,
    quote,
)

SETUP = """\
```
GEMINI_API_KEYS=your-key
ANTHROPIC_API_KEY=your-key
COHERE_API_KEY=your-key
OLLAMA_HOST=http://127.0.0.1:11434
```"""
_SETUP_MARK = "GEMINI_API_KEYS="

_MOST_HITS = 3
_LONG_WORDS = 120
_KEY_SENTENCES = 3
_SAID_LIMIT = 600
_SHORT_CHARACTERS = 200  # a question about this chat is short; the pattern for it is too slow for long texts

_GREETING = re.compile(
    r"(hi|hello|hey|hiya|yo|hallo|hola|salut|bonjour|servus|moin|ciao|good (morning|afternoon|evening|day)"
    r"|guten (morgen|tag|abend)|greetings)( (there|maya|again|all|everyone|team))*",
)
_THANKS = re.compile(r"(many |so )?(thanks|thank you|thx|cheers|danke)( (a lot|so much|very much|maya))*")
_HERE = re.compile(
    r"\b(what|which)\b.*\b(did|have|was|were)\b.*\b(i|we|you)\b.*\b(say|said|ask|asked|tell|told|write|wrote|written"
    r"|saying|talking|discussing)\b"
    r"|\bmy (last|previous|first|earlier) (message|question|sentence)\b"
    r"|\byour (last|previous|first) (message|answer|reply)\b"
    r"|\b(repeat|remind me) (that|it|what)\b"
)
_ABOUT_MAYA = re.compile(r"\b(did|have|were) you\b|\byour (last|previous|first)\b")
_FIRST = re.compile(r"\bfirst\b")
_ASKING = re.compile(
    r"(what|who|whom|whose|which|when|where|why|how|is|are|was|were|do|does|did|can|could|should|would|will|have|has"
    r"|had|tell me|show me|find|search|remind|list|summari[sz]e|explain)\b"
)
_TALK = content_words(
    "message question sentence answer reply ask asked saying talking discussing repeat remind previous earlier first "
    "conversation chat discuss mention mentioned remember recall tell summarise summarize explain find search list"
)


class OfflineProvider:
    """Always there, needs nothing. `configured` holds the labels of the model providers that it stands in for."""

    def __init__(self, *, configured: Sequence[str] = ()) -> None:
        self.name = "offline"
        self.model = "keywords"
        self.label = "Offline"
        self.keys: Sequence[str] = ()
        self._configured = tuple(configured)

    async def stream(self, prompt: Prompt, *, key: str) -> AsyncGenerator[ProviderEvent, None]:
        for piece in _pieces(reply(prompt, configured=self._configured)):
            yield TextDelta(text=piece)
            await asyncio.sleep(0)  # other turns may run, and Stop may come
        yield Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=0, output_tokens=0))

    async def close(self) -> None:
        """Nothing to release."""


def reply(prompt: Prompt, *, configured: Sequence[str] = ()) -> str:
    """The whole answer: what was found for the newest message, and why there is no more than that."""
    *earlier, newest = prompt.messages
    body = _body(newest.text, earlier, prompt)
    return f"{body}\n\n{_notice(earlier, configured)}"


def _body(text: str, earlier: Sequence[PromptMessage], prompt: Prompt) -> str:
    plain = " ".join(re.sub(r"[^\w\s'’]", " ", text.casefold()).split())
    if _GREETING.fullmatch(plain):
        return "Hello! I can look up what you told me before and quote it to you, with its date."
    if _THANKS.fullmatch(plain):
        return "You're welcome."
    wanted = content_words(text) - _TALK
    if not wanted and _HERE.search(plain[:_SHORT_CHARACTERS]):
        return _about_this_chat(plain, earlier)
    if count_words(text) > _LONG_WORDS:
        return _long_text(text)
    asks = "?" in text or _ASKING.match(plain) is not None
    quoted = _found(text, wanted, earlier, prompt.citations)
    known = _known(text, wanted, prompt.facts, nothing_else=quoted is None) if asks else None
    return "\n\n".join(part for part in (known, quoted) if part) or _nothing_found(asks=asks)


def _about_this_chat(plain: str, earlier: Sequence[PromptMessage]) -> str:
    role = "assistant" if _ABOUT_MAYA.search(plain) else "user"
    said = [message.text for message in earlier if message.role == role and message.text.strip()]
    if not said:
        return "I have nothing at hand from before this message in this chat."
    who = "you" if role == "user" else "I"
    if _FIRST.search(plain):
        return f"The earliest words that I have at hand here, {who} wrote: {quote(said[0], limit=_SAID_LIMIT)}"
    return f"Just before this {who} wrote: {quote(said[-1], limit=_SAID_LIMIT)}"


def _long_text(text: str) -> str:
    key = central_sentences(text, count=_KEY_SENTENCES)
    lines = "\n".join(f"- {quote(sentence)}" for sentence in key)
    return (
        f"Your text of {count_words(text):,} words is saved in this chat. I cannot sum it up without a model; "
        f"these of its own sentences share the most words with the rest:\n\n{lines}"
    )


def _known(text: str, wanted: frozenset[str], facts: Sequence[Citation], *, nothing_else: bool) -> str | None:
    """Facts that share a word with the question; where nothing else was found, the one that fits best without one.

    A question without a word of its own ("what do you know about me?") gets the first few.
    """
    fit = [fact for fact in facts if best_sentence(fact.text, wanted, unlike=text) is not None][:_MOST_HITS]
    most = 1 if wanted else _MOST_HITS
    shown = fit or (facts[:most] if nothing_else else ())
    lines = [f"- {quote(fact.text)} [F{fact.number}] — {fact.origin}" for fact in shown]
    return "This is what I know about it:\n\n" + "\n".join(lines) if lines else None


def _found(
    text: str, wanted: frozenset[str], earlier: Sequence[PromptMessage], citations: Sequence[Citation]
) -> str | None:
    """Quotes from earlier chats under their numbers, and from this chat; None when no sentence fits."""
    hits = [
        (match, citation)
        for citation in citations
        if (match := best_sentence(citation.text, wanted, unlike=text)) is not None
    ]
    hits.sort(key=lambda hit: (-hit[0].score, hit[1].number))
    here = _said_here(text, wanted, earlier)
    if not hits:
        return f"Earlier in this chat you wrote: {quote(here.sentence)}" if here else None
    shown = hits[:_MOST_HITS]
    theirs = all(citation.origin.startswith("You") for _, citation in shown)
    head = "Here is what you said about this earlier:" if theirs else "This is what your chats hold about it:"
    lines = [f"- {quote(match.sentence)} [{citation.number}] — {_origin(citation)}" for match, citation in shown]
    if here:
        lines.append(f"- {quote(here.sentence)} — you, earlier in this chat")
    return head + "\n\n" + "\n".join(lines)


def _origin(citation: Citation) -> str:
    """Where a passage is from, and what is known by now where it does not hold any more."""
    return f"{citation.origin} ({citation.now})" if citation.now else citation.origin


def _said_here(text: str, wanted: frozenset[str], earlier: Sequence[PromptMessage]) -> Match | None:
    """The person's own best sentence in this chat; at equal score the newest."""
    matches = (
        best_sentence(message.text, wanted, unlike=text) for message in reversed(earlier) if message.role == "user"
    )
    return max((match for match in matches if match is not None), key=lambda match: match.score, default=None)


def _nothing_found(*, asks: bool) -> str:
    if asks:
        return "I have no earlier words of yours to show for this question."
    return "Your message is saved word for word in this chat, and you can find it again by its words."


def _notice(earlier: Sequence[PromptMessage], configured: Sequence[str]) -> str:
    """Why there is no more; the setup lines are given once in a chat."""
    if configured:
        return (
            f"No model could answer just now ({', '.join(configured)}), so I can only find and quote. "
            "The Providers page says why, and until when."
        )
    if any(message.role == "assistant" and _SETUP_MARK in message.text for message in earlier):
        return "No model is configured, so I can only find and quote."
    return (
        "No model is configured, so I can find and quote, but not think or write for you. "
        f"To add one, put one of these lines into the file `.env` and start Maya again:\n\n{SETUP}"
    )


def _pieces(text: str) -> list[str]:
    """The text in pieces of a word or two, nothing lost."""
    return re.findall(r"\S+\s*\S*\s*", text)
