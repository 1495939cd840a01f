"""What is embedded of a conversation, under which ids, and that doing it again changes nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maya_core.domain.conversation import ConversationId, Message, MessageId, MessageStatus, Role, UserId
from maya_core.domain.memory import MemoryKind
from maya_core.memory.episodes import (
    AFTER,
    BEFORE,
    MOST_PIECES,
    PIECE_CHARACTERS,
    cut,
    episode_id,
    episode_ids,
    is_findable,
)
from tests.support.embedders import HashingEmbedder
from tests.support.histories import START, Past

ME = UserId("user-1")
CHAT = ConversationId("c")


@pytest.fixture
async def past(tmp_path: Path) -> AsyncIterator[Past]:
    made = await Past.begin(tmp_path)
    yield made
    await made.close()


def message(seq: int, text: str) -> Message:
    return Message(
        id=MessageId(f"c-{seq}"),
        conversation_id=CHAT,
        user_id=ME,
        seq=seq,
        turn_id=f"t{seq}",
        role=Role.USER,
        speaker="You",
        text=text,
        said_at=START,
        status=MessageStatus.COMPLETE,
    )


def one(seq: int) -> str:
    return episode_id(MessageId(f"c-{seq}"), model="hashing:1")


async def vector_of(past: Past, seq: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    (item,) = await past.vectors.fetch(ME, [one(seq)])
    return item.vector


async def test_each_message_gets_a_vector_with_what_ranking_wants_to_know(past: Past) -> None:
    await past.chat(ME, "c", "I: We met last Tuesday. Do you remember?", "Maya: I do.")
    refs = await past.vectors.list_refs(ME)
    (ref,) = (ref for ref in refs if ref.id == one(1))
    assert len(refs) == 2
    assert (ref.kind, ref.message_ids, ref.first_seq, ref.last_seq) == (MemoryKind.EPISODE, (MessageId("c-1"),), 1, 1)
    assert (ref.role, ref.speaker, ref.model) == (Role.USER, "You", "hashing:1")
    assert (ref.statement_words, ref.asks, ref.dated) == (4, True, True)


async def test_a_vector_is_that_of_the_message_turned_towards_its_neighbours(past: Past) -> None:
    lines = ("Which colour?", "Yes, blue!", "Lovely.")
    await past.chat(ME, "c", *(f"I: {line}" for line in lines))
    before, alone, after = [await past.embedder.embed_query(line) for line in lines]
    expected = alone + BEFORE * before + AFTER * after
    assert await vector_of(past, 2) == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)
    assert float(before @ await vector_of(past, 2)) > float(before @ alone)


async def test_every_text_is_embedded_once_however_many_neighbours_it_has(past: Past) -> None:
    assert isinstance(past.embedder, HashingEmbedder)
    await past.chat(ME, "c", *(f"I: Message number {n} of many." for n in range(50)))
    assert past.embedder.embedded == 50
    await past.chat(ME, "c", "I: One more.")
    assert past.embedder.embedded == 51  # the vectors of the two before it are known, though one of them turns
    await past.chat(ME, "other", *(f"I: Another message, number {n}." for n in range(300)))
    await past.chat(ME, "c", "I: And one more.")
    assert past.embedder.embedded == 354  # only for a while


async def test_vectors_stored_in_parts_are_those_of_the_whole(past: Past, tmp_path: Path) -> None:
    lines = [f"I: Message number {n} about topic {n % 7}." for n in range(150)]
    stored = await past.chat(ME, "c", *lines)
    other = await Past.begin(tmp_path / "other")
    await other.chat(ME, "c", *lines, embed=False)
    for start in range(0, 150, 40):
        await other.episodes.index(ME, CHAT, stored[start : start + 40])
    for seq in (1, 40, 41, 64, 65, 128, 129, 150):
        assert await vector_of(past, seq) == pytest.approx(await vector_of(other, seq), abs=1e-6)
    await other.close()


async def test_what_is_said_next_changes_the_vector_of_the_message_before_and_no_other(past: Past) -> None:
    await past.chat(ME, "c", "I: The first thing.", "Maya: The second thing.")
    first, second = await vector_of(past, 1), await vector_of(past, 2)
    await past.chat(ME, "c", "I: The third thing.", "Maya: The fourth thing.")
    assert np.array_equal(await vector_of(past, 1), first)
    assert not np.array_equal(await vector_of(past, 2), second)


async def test_turn_by_turn_and_all_at_once_give_the_same_vectors(past: Past, tmp_path: Path) -> None:
    lines = [f"I: Message number {n} about topic {n % 3}." for n in range(9)]
    for line in lines:
        await past.chat(ME, "c", line)
    other = await Past.begin(tmp_path / "other")
    await other.chat(ME, "c", *lines)
    for seq in range(1, 10):
        assert np.array_equal(await vector_of(past, seq), await vector_of(other, seq))
    await other.close()


async def test_indexing_again_changes_nothing(past: Past) -> None:
    stored = await past.chat(ME, "c", "I: One thing.", "Maya: Another thing.")
    before = [(ref, await past.vectors.fetch(ME, [ref.id])) for ref in await past.vectors.list_refs(ME)]
    assert await past.episodes.index(ME, CHAT, stored) == 2
    for ref, (item,) in before:
        (again,) = await past.vectors.fetch(ME, [ref.id])
        assert again.ref == ref
        assert np.array_equal(again.vector, item.vector)
    assert await past.episodes.index(ME, CHAT, []) == 0


async def test_forgotten_messages_have_no_vectors(past: Past) -> None:
    stored = await past.chat(ME, "c", "I: " + "A sentence that is rather long. " * 200, "Maya: Short.")
    await past.episodes.forget(ME, [stored[0].id])
    assert [ref.id for ref in await past.vectors.list_refs(ME)] == [one(2)]


@pytest.mark.parametrize(
    "changes",
    [{"status": MessageStatus.STREAMING}, {"status": MessageStatus.FAILED}, {"active": False}, {"text": " \n"}],
    ids=["running", "failed", "replaced", "empty"],
)
async def test_what_is_not_findable_is_left_out(past: Past, changes: dict[str, object]) -> None:
    (stored,) = await past.chat(ME, "c", "I: Something.", embed=False)
    assert is_findable(stored)
    hidden = replace(stored, **changes)  # type: ignore[arg-type]
    assert not is_findable(hidden)
    assert await past.episodes.index(ME, CHAT, [hidden]) == 0
    assert await past.vectors.list_refs(ME) == []


def test_a_long_message_is_cut_between_sentences_and_every_part_can_be_found() -> None:
    sentences = [f"Sentence number {n} says something of its own." for n in range(60)]
    pieces = list(cut([message(1, "Before."), message(2, " ".join(sentences)), message(3, "After.")], model="m"))
    parts = [piece for piece in pieces if piece.message.seq == 2]
    assert 1 < len(parts) <= MOST_PIECES
    assert " ".join(piece.text for piece in parts) == " ".join(sentences)
    assert all(piece.text.endswith("own.") for piece in parts)
    assert [piece.id for piece in parts] == episode_ids(MessageId("c-2"), model="m")[: len(parts)]


@given(st.lists(st.text(max_size=3000).filter(lambda text: text.strip() != ""), min_size=1, max_size=4))
def test_any_messages_are_cut_into_bounded_pieces_with_ids_of_their_own(texts: list[str]) -> None:
    pieces = list(cut([message(n, text) for n, text in enumerate(texts, 1)], model="m"))
    assert len({piece.id for piece in pieces}) == len(pieces)
    for text, number in zip(texts, range(1, len(texts) + 1), strict=True):
        own = [piece for piece in pieces if piece.message.seq == number]
        assert 1 <= len(own) <= MOST_PIECES
        assert "".join("".join(piece.text for piece in own).split()) == "".join(text.split())


def test_a_text_without_sentences_is_one_piece() -> None:
    (piece,) = cut([message(1, "x" * 5 * PIECE_CHARACTERS)], model="m")
    assert len(piece.text) == 5 * PIECE_CHARACTERS
