"""What Maya says without a model: only what was said, with its source, and why there is no more."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maya_core.domain.generation import Citation, Finished, FinishReason, Prompt, PromptMessage, TextDelta, Usage
from maya_core.providers.offline import SETUP, OfflineProvider, reply
from maya_core.providers.passages import best_sentence, central_sentences, content_words, quote, sentences

VENUE = Citation(
    number=1,
    origin="You, 3 Nov 2026, in “Venue options”",
    text="We looked at two places. The offsite is at the Old Mill. Parking is free.",
)
BUDGET = Citation(
    number=2,
    origin="You, 5 Nov 2026, in “Budget”",
    text="What is the budget of the offsite? The budget of the offsite is 9,000 euros.",
)
BY_MAYA = Citation(number=3, origin="Maya, 6 Nov 2026, in “Budget”", text="Your offsite might cost 20,000 euros.")


def ask(
    text: str,
    *,
    citations: Sequence[Citation] = (),
    facts: Sequence[Citation] = (),
    earlier: Sequence[tuple[str, str]] = (),
    configured: Sequence[str] = (),
) -> str:
    said = [
        PromptMessage(role="user" if who == "user" else "assistant", text=words)
        for who, words in (*earlier, ("user", text))
    ]
    prompt = Prompt(system="", messages=tuple(said), citations=tuple(citations), facts=tuple(facts))
    return reply(prompt, configured=configured)


@pytest.mark.parametrize("greeting", ["Hello", "hi Maya!", "Good morning", "HEY there...", "Guten Tag"])
def test_a_greeting_is_greeted_and_told_how_to_add_a_model(greeting: str) -> None:
    answer = ask(greeting, citations=[VENUE])
    assert answer.startswith("Hello!")
    assert "No model is configured" in answer
    assert SETUP in answer
    assert "Old Mill" not in answer


def test_the_setup_lines_name_the_settings_as_they_are() -> None:
    for line in ("GEMINI_API_KEYS=", "ANTHROPIC_API_KEY=", "COHERE_API_KEY=", "OLLAMA_HOST=http://127.0.0.1:11434"):
        assert line in SETUP


def test_a_question_is_answered_with_the_persons_own_sentence_and_its_number() -> None:
    answer = ask("Where is the offsite?", citations=[VENUE])
    assert "Here is what you said about this earlier:" in answer
    assert "“The offsite is at the Old Mill.” [1] — You, 3 Nov 2026, in “Venue options”" in answer
    assert "Parking" not in answer


def test_the_sentence_with_more_of_the_words_comes_first_and_a_statement_before_a_question() -> None:
    answer = ask("What did I say about the budget of the offsite?", citations=[VENUE, BUDGET])
    assert answer.index("[2]") < answer.index("[1]")
    assert "“The budget of the offsite is 9,000 euros.” [2]" in answer


def test_words_of_maya_are_never_given_as_the_persons() -> None:
    answer = ask("What does the offsite cost?", citations=[BY_MAYA, VENUE])
    assert "you said" not in answer
    assert "[3] — Maya, 6 Nov 2026" in answer
    again = ask("And the hotel?", earlier=[("user", "Hm."), ("assistant", "The hotel is the Ritz.")])
    assert "Ritz" not in again


HOME = Citation(number=1, origin="You, by hand, 20 Nov 2026", text="You live in Braga")
TEA = Citation(number=2, origin="You, 3 Mar 2026", text="You like green tea")


def test_a_fact_that_is_asked_for_is_told_with_its_number_and_origin() -> None:
    answer = ask("Where do I live?", facts=[HOME, TEA])
    assert "This is what I know about it:\n\n- “You live in Braga” [F1] — You, by hand, 20 Nov 2026" in answer
    assert "green tea" not in answer


def test_a_fact_without_a_word_of_the_question_is_told_only_where_nothing_else_is_found() -> None:
    assert "“You live in Braga” [F1]" in ask("Where is my house?", facts=[HOME, TEA])
    assert "Braga" not in ask("Where is the offsite?", facts=[HOME], citations=[VENUE])
    assert "[F2]" not in ask("Where is my house?", facts=[HOME, TEA])
    assert "[F2]" in ask("What do you know about me?", facts=[HOME, TEA])


def test_a_quoted_number_points_to_no_fact() -> None:
    answer = ask("Where is the key?", citations=[Citation(number=1, origin="You", text="The key is in [F9].")])
    assert "“The key is in (F9).” [1]" in answer


def test_a_statement_is_not_answered_with_facts() -> None:
    assert "[F1]" not in ask("I live in Faro now.", facts=[HOME])


def test_a_quote_that_does_not_hold_any_more_says_what_is_known_now() -> None:
    old = Citation(
        number=1, origin="You, 3 Mar 2026, in “A”", text="I live in Porto.", now="since changed: You live in X"
    )
    assert "“I live in Porto.” [1] — You, 3 Mar 2026, in “A” (since changed: You live in X)" in ask(
        "Where do I live?", citations=[old]
    )


def test_the_same_question_asked_before_is_no_answer() -> None:
    asked = Citation(number=1, origin="You, 1 Nov 2026, in “A”", text="Where is the offsite?")
    assert "[1]" not in ask("Where is the offsite?", citations=[asked])


def test_a_question_without_a_hit_claims_nothing() -> None:
    answer = ask("How many penguins live in Peru?", citations=[VENUE])
    assert answer.startswith("I have no earlier words of yours to show for this question.")
    assert "[1]" not in answer


def test_words_from_this_chat_are_quoted_as_such() -> None:
    answer = ask(
        "What is my dog called?", earlier=[("user", "My dog is called Rex. He is four."), ("assistant", "Ok.")]
    )
    assert answer.startswith("Earlier in this chat you wrote: “My dog is called Rex.”")


@pytest.mark.parametrize("question", ["What did I just say?", "what was my last message", "What did I say?"])
def test_a_question_about_this_chat_quotes_the_message_before(question: str) -> None:
    earlier = [("user", "My dog is Rex."), ("assistant", "A fine name."), ("user", "He is four."), ("assistant", "Oh.")]
    assert "Just before this you wrote: “He is four.”" in ask(question, earlier=earlier)


def test_what_maya_said_is_quoted_as_mayas() -> None:
    earlier = [("user", "My dog is Rex."), ("assistant", "A fine name.")]
    assert "Just before this I wrote: “A fine name.”" in ask("What did you just say?", earlier=earlier)


def test_the_earliest_message_is_found() -> None:
    earlier = [("user", "My dog is Rex."), ("assistant", "Hm."), ("user", "He is four."), ("assistant", "Oh.")]
    assert "you wrote: “My dog is Rex.”" in ask("What was my first message?", earlier=earlier)


def test_nothing_is_made_up_about_a_chat_that_has_just_begun() -> None:
    assert ask("What did I just say?").startswith("I have nothing at hand from before this message")


def test_a_statement_is_acknowledged_without_pretence() -> None:
    assert ask("The invoice is due on Friday.").startswith("Your message is saved word for word in this chat")


def test_a_long_text_gets_sentences_of_its_own() -> None:
    text = "The mill has a hall. " + " ".join(f"Side remark number {i} about topic{i}." for i in range(40))
    text += " The hall of the mill holds forty people."
    answer = ask(text)
    assert "words is saved in this chat" in answer
    quoted = [line[3:-1] for line in answer.splitlines() if line.startswith("- “")]
    assert 1 <= len(quoted) <= 3
    assert all(sentence in text for sentence in quoted)


def test_the_setup_lines_come_once_in_a_chat() -> None:
    first = ask("Hello")
    second = ask("Where is the offsite?", citations=[VENUE], earlier=[("user", "Hello"), ("assistant", first)])
    assert SETUP not in second
    assert second.endswith("No model is configured, so I can only find and quote.")


def test_when_models_are_configured_the_words_say_that_none_could_be_reached() -> None:
    answer = ask("Where is the offsite?", citations=[VENUE], configured=["Gemini Flash", "Claude Haiku"])
    assert "No model could answer just now (Gemini Flash, Claude Haiku)" in answer
    assert "configured" not in answer
    assert "GEMINI_API_KEYS" not in answer


def test_a_quote_cannot_pass_for_a_citation_or_grow_without_bound() -> None:
    assert quote("See [2]\n and   [17].") == "“See (2) and (17).”"
    assert len(quote("word " * 500)) < 260


def test_words_meet_across_endings_and_case() -> None:
    assert content_words("Budgets, BOOKED bookings!") == content_words("budget book the booking")
    assert content_words("The venue's prices, the venues, the boxes") == content_words("venue priced box")
    assert content_words("What did I say about it?") == frozenset()


def test_sentences_are_found_in_order() -> None:
    assert sentences("One. Two!  Three?\nFour\n\n... ") == ["One.", "Two!", "Three?", "Four"]


def test_no_sentence_is_given_for_words_it_does_not_have() -> None:
    assert best_sentence("The mill is old.", frozenset({"penguin"})) is None


def test_central_sentences_are_given_once_and_in_their_order() -> None:
    text = "The mill is old. Rain. The mill is old. The old mill stands."
    assert central_sentences(text, count=2) == ["The mill is old.", "The old mill stands."]


async def test_the_provider_streams_the_whole_answer_in_small_pieces() -> None:
    prompt = Prompt(system="", messages=(PromptMessage(role="user", text="Where is the offsite?"),), citations=(VENUE,))
    events = [event async for event in OfflineProvider().stream(prompt, key="")]
    pieces = [event.text for event in events if isinstance(event, TextDelta)]
    assert "".join(pieces) == reply(prompt)
    assert max(map(len, pieces)) < 80
    assert events[-1] == Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=0, output_tokens=0))


@given(
    text=st.text(max_size=300),
    cited=st.text(max_size=300),
    before=st.text(max_size=100),
)
def test_any_text_gets_an_answer_that_cites_only_what_was_offered(text: str, cited: str, before: str) -> None:
    citation = Citation(number=7, origin="You, 1 Nov 2026, in “A”", text=cited)
    answer = ask(text, citations=[citation], earlier=[("user", before)])
    assert "No model is configured" in answer
    for line in answer.splitlines():
        if " [7] — You" in line:
            shown = line.removeprefix("- “").rpartition("” [7]")[0].removesuffix(" …")
            assert shown[:20].strip() in quote(cited, limit=1000)
