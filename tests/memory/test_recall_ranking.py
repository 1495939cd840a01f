"""Understanding a question, the substance of a message, and the order of candidates. All pure."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maya_core.domain.conversation import ConversationId, MessageId, Role
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.memory.question import Question, Voice, understand
from maya_core.memory.ranking import Candidate, Weights, rank
from maya_core.memory.substance import Substance, substance

SPEAKERS = ("Ann Berg", "Bob", "Maya", "Will", "You")
START = datetime(2026, 1, 1, tzinfo=UTC)
ANYONE = Question(text="?", searched="?", voice=Voice.ANYONE)


@pytest.mark.parametrize(
    ("text", "voice", "speaker"),
    [
        ("Where did I say I parked?", Voice.OWN_WORDS, ""),
        ("What did I tell you about the budget?", Voice.OWN_WORDS, ""),
        ("Have I ever mentioned my aunt?", Voice.OWN_WORDS, ""),
        ("What were my own words about the plan?", Voice.OWN_WORDS, ""),
        ("i said something about a flight, when was it?", Voice.OWN_WORDS, ""),
        ("Where is my passport?", Voice.OWN, ""),
        ("Do you remember where I left the keys?", Voice.OWN, ""),
        ("When do we leave?", Voice.OWN, ""),
        ("What did you recommend for dinner?", Voice.ASSISTANT, ""),
        ("Which book had you suggested?", Voice.ASSISTANT, ""),
        ("What was your advice on the contract?", Voice.ASSISTANT, ""),
        ("What did Maya say about the lease?", Voice.ASSISTANT, ""),
        ("What did Ann buy?", Voice.SPEAKER, "Ann Berg"),
        ("What is Bob's favourite food?", Voice.SPEAKER, "Bob"),
        ("What did Bob tell me about the boat?", Voice.SPEAKER, "Bob"),
        ("What do Ann and Bob have in common?", Voice.ANYONE, ""),
        ("Will the train be late?", Voice.ANYONE, ""),
        ("What did Will cook?", Voice.SPEAKER, "Will"),
        ("Who won the tournament?", Voice.ANYONE, ""),
        ("Is the banner annoying?", Voice.ANYONE, ""),
        ("", Voice.ANYONE, ""),
    ],
)
def test_whose_words_a_question_is_after(text: str, voice: Voice, speaker: str) -> None:
    question = understand(text, speakers=SPEAKERS)
    assert (question.voice, question.speaker) == (voice, speaker)


@pytest.mark.parametrize(
    ("text", "searched"),
    [
        ("What did Ann buy?", "What did buy?"),
        ("What is bob's favourite food?", "What is favourite food?"),
        ("Maya, where did I park?", ", where did I park?"),
        ("Will the train be late?", "Will the train be late?"),
        ("Ann?", "Ann?"),
        ("Where is the bannister?", "Where is the bannister?"),
    ],
)
def test_names_of_speakers_are_not_searched_for(text: str, searched: str) -> None:
    assert understand(text, speakers=SPEAKERS).searched == searched


@pytest.mark.parametrize(
    ("text", "asks_when"),
    [
        ("When did I move?", True),
        ("So, when is the concert?", True),
        ("What day is the interview?", True),
        ("In which year was it?", True),
        ("Do you know when my flight is?", True),
        ("What did I eat when it rained?", False),
        ("Where was I?", False),
    ],
)
def test_questions_for_a_moment_are_known(text: str, asks_when: bool) -> None:
    assert understand(text).asks_when is asks_when


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=5))
def test_any_question_and_any_names_are_understood(text: str, names: list[str]) -> None:
    assert understand(text, speakers=names).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I moved to Ghent. Do you know it?", Substance(statement_words=4, asks=True, dated=False)),
        ("How are you?", Substance(statement_words=0, asks=True, dated=False)),
        ("We met last Tuesday", Substance(statement_words=4, asks=False, dated=True)),
        ("The flight is at 9:40.", Substance(statement_words=6, asks=False, dated=True)),
        ("", Substance(statement_words=0, asks=False, dated=False)),
    ],
)
def test_the_substance_of_a_message(text: str, expected: Substance) -> None:
    assert substance(text) == expected


def candidate(
    id: str,
    *,
    chat: str = "c",
    seq: int = 0,
    dense: float = 0.0,
    keyword: float = 0.0,
    graph: float = 0.0,
    role: Role = Role.USER,
    speaker: str = "You",
    words: int = 10,
    asks: bool = False,
    dated: bool = False,
) -> Candidate:
    number = seq or int("".join(c for c in id if c.isdigit()) or 0) * 10
    ref = MemoryRef(
        id=id,
        kind=MemoryKind.EPISODE,
        conversation_id=ConversationId(chat),
        message_ids=(MessageId(id),),
        first_seq=number,
        last_seq=number,
        speaker=speaker,
        said_at=START + timedelta(minutes=number),
        model="m",
        role=role,
        statement_words=words,
        asks=asks,
        dated=dated,
    )
    return Candidate(ref, dense, keyword, graph)


def is_own(ref: MemoryRef) -> bool:
    return ref.role is Role.USER and ref.speaker == "You"


def order(candidates: list[Candidate], question: Question = ANYONE, weights: Weights | None = None) -> list[str]:
    ranked = rank(candidates, question, is_own=is_own, most=100, weights=weights)
    return [r.candidate.message_id for r in ranked]


def test_meaning_and_words_are_fused() -> None:
    pool = [candidate(f"m{n}", chat=f"c{n}") for n in range(1, 10)]
    both = candidate("both", chat="x", dense=0.5, keyword=4.0)
    one = candidate("one", chat="y", dense=0.55)
    other = candidate("other", chat="z", keyword=4.2)
    assert order([*pool, one, other, both])[0] == "both"


def test_a_neighbour_lends_and_a_question_lends_more() -> None:
    far = [candidate(f"m{n}", chat=f"c{n}", dense=0.1 * (n % 3)) for n in range(1, 9)]
    asked = candidate("asked", chat="a", seq=5, dense=0.9, asks=True)
    told = candidate("told", chat="b", seq=5, dense=0.9)
    after_asked, after_told = candidate("after-asked", chat="a", seq=6), candidate("after-told", chat="b", seq=6)
    apart = candidate("apart", chat="b", seq=9)
    ranked = order([*far, asked, told, after_told, after_asked, apart])
    assert ranked.index("after-asked") < ranked.index("after-told") < ranked.index("apart")


def test_substance_dates_and_voice_decide_between_equals() -> None:
    pool = [candidate(f"m{n}", chat=f"c{n}", dense=0.1) for n in range(1, 8)]
    wordy = candidate("wordy", chat="w", dense=0.1, words=40)
    assert order([*pool, wordy])[0] == "wordy"
    dated = candidate("dated", chat="d", dense=0.1, dated=True)
    assert order([*pool, dated], replace(ANYONE, asks_when=True))[0] == "dated"
    theirs = candidate("theirs", chat="t", dense=0.1, speaker="Ann")
    assert order([*pool, theirs], replace(ANYONE, voice=Voice.SPEAKER, speaker="Ann"))[0] == "theirs"
    reply = candidate("reply", chat="r", dense=0.1, role=Role.ASSISTANT, speaker="Maya")
    assert order([*pool, reply], replace(ANYONE, voice=Voice.ASSISTANT))[0] == "reply"
    assert order([*pool, reply], replace(ANYONE, voice=Voice.OWN))[-1] == "reply"


def test_the_evidence_of_a_fact_is_lifted() -> None:
    pool = [candidate(f"m{n}", chat=f"c{n}", dense=0.1) for n in range(1, 8)]
    assert order([candidate("evidence", chat="e", dense=0.1, graph=0.3), *pool])[0] == "evidence"


def test_a_message_without_a_vector_counts_as_average_in_meaning() -> None:
    near = candidate("near", chat="a", dense=0.8)
    far = candidate("far", chat="b", dense=0.0)
    unknown = candidate("unknown", chat="c", dense=math.nan)
    assert order([far, unknown, near]) == ["near", "unknown", "far"]
    assert set(order([unknown, replace_id(unknown, "u2")])) == {"unknown", "u2"}


def replace_id(old: Candidate, id: str) -> Candidate:
    return old._replace(ref=replace(old.ref, message_ids=(MessageId(id),)))


def test_of_equals_the_newer_comes_first() -> None:
    assert order([candidate(f"m{n}", chat=f"c{n}") for n in (1, 3, 2)]) == ["m3", "m2", "m1"]


def test_nothing_ranks_as_nothing_and_one_as_one() -> None:
    assert order([]) == []
    assert order([candidate("m1")]) == ["m1"]


refs = st.builds(
    lambda n, chat, dense, keyword, graph, role, words, asks: candidate(
        f"m{n}-{chat}", chat=chat, seq=n, dense=dense, keyword=keyword, graph=graph, role=role,
        speaker="You" if role is Role.USER else "Maya", words=words, asks=asks,
    ),
    st.integers(1, 12),
    st.sampled_from("abc"),
    st.one_of(st.floats(-1, 1), st.just(math.nan)),
    st.floats(0, 30),
    st.floats(0, 1),
    st.sampled_from(Role),
    st.integers(0, 500),
    st.booleans(),
)  # fmt: skip


@given(st.lists(refs, max_size=30, unique_by=lambda c: c.message_id), st.sampled_from(Voice), st.integers(1, 40))
def test_every_order_is_whole_finite_and_keeps_echoes_behind(pool: list[Candidate], voice: Voice, most: int) -> None:
    question = replace(ANYONE, voice=voice, speaker="You")
    ranked = rank(pool, question, is_own=is_own, most=1000)
    ids = [r.candidate.message_id for r in ranked]
    assert sorted(ids) == sorted(c.message_id for c in pool)
    assert all(math.isfinite(r.parts.total) for r in ranked)
    cut = rank(pool, question, is_own=is_own, most=most)
    assert [r.candidate.message_id for r in cut] == ids[:most]
    own = [is_own(r.candidate.ref) for r in ranked]
    if voice is Voice.OWN_WORDS:
        assert own == sorted(own, reverse=True)
    if voice is Voice.OWN:
        places = {(r.candidate.ref.conversation_id, r.candidate.ref.first_seq): n for n, r in enumerate(ranked)}
        for (chat, seq), place in places.items():
            statement = places.get((chat, seq - 1))
            if ranked[place].candidate.ref.role is Role.ASSISTANT and statement is not None and own[statement]:
                assert statement < place
