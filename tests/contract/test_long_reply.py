"""A reply that is longer than what is kept, through a whole turn over every backend of the transcripts."""

import asyncio

from maya_core.accounts.access import LOCAL_USER
from maya_core.chat.conversations import ConversationService
from maya_core.chat.live import LiveReplies
from maya_core.chat.lookback import Lookback
from maya_core.chat.turn import TurnPolicy, TurnService
from maya_core.clock import SystemClock
from maya_core.domain.conversation import MAX_TEXT_CHARACTERS, MessageId, MessageStatus
from maya_core.domain.generation import FinishReason
from maya_core.domain.ids import new_id
from maya_core.memory.recall import Recall
from maya_core.stores.redis_client import connect_in_process
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.whiteboard.redis import RedisWhiteboard
from tests.contract.conftest import PATIENT_S
from tests.support.chains import ScriptedChain, says


async def test_a_reply_longer_than_what_is_kept_ends_with_what_there_is_and_says_that_it_was_cut(
    store: Transcripts,
) -> None:
    clock, client = SystemClock(), connect_in_process()
    whiteboard = RedisWhiteboard(client, waiting=client, timeout_s=PATIENT_S)
    piece = "a long word, "
    chain = ScriptedChain(says(*[piece * 1000] * (2 * MAX_TEXT_CHARACTERS // (1000 * len(piece)))))
    turns = TurnService(
        transcripts=store,
        whiteboard=whiteboard,
        lookback=Lookback(
            transcripts=store, whiteboard=whiteboard, recall=Recall(transcripts=store, clock=clock), clock=clock
        ),
        chain=chain,
        live=LiveReplies(whiteboard),
        clock=clock,
        labels=lambda provider, _: provider,
        policy=TurnPolicy(save_every_s=0.05, publish_every_s=0.02),
    )
    chats = ConversationService(transcripts=store, whiteboard=whiteboard, clock=clock)
    chat = await chats.new(LOCAL_USER)
    started = await turns.start(LOCAL_USER, chat.id, "Count to a million", MessageId(new_id()))
    async with asyncio.timeout(PATIENT_S):
        while (reply := await store.get_message(LOCAL_USER.id, started.reply.id)).status is MessageStatus.STREAMING:
            await asyncio.sleep(0.02)
    await turns.close(drain_s=PATIENT_S)
    await client.aclose()
    assert reply.status is MessageStatus.COMPLETE
    assert len(reply.text) == MAX_TEXT_CHARACTERS
    assert reply.text == (piece * (MAX_TEXT_CHARACTERS // len(piece) + 1))[:MAX_TEXT_CHARACTERS]
    assert reply.spans[-1].end == MAX_TEXT_CHARACTERS
    assert reply.receipt is not None
    assert reply.receipt.finish is FinishReason.CUT
    assert chain.closed_early == 1  # nobody is paid for what is thrown away
