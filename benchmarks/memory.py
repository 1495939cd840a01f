"""What a memory layer costs: one search, one durable add, beside mem0 on chroma and on qdrant in the same run.

    python -m benchmarks.memory [--json] [--sizes 1000,10000,50000] [--ops 200] [--no-peers]

Maya's side is her own stores as a turn uses them. A search asks both halves, the nearest vectors and the words, and
reads the texts of the nearest. An add stores a person's message, found by its words from then on, and its vector.
The stub embedder is the same for all. The floor is a matrix in memory and a bare durable row.
"""

import argparse
import asyncio
import json
import os
import subprocess
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.peers.harness import ROOT
from benchmarks.peers.memory_layers import DIM, LAYERS, Embed, measure
from benchmarks.report import print_figures, print_json, print_table
from maya_core.beside import all_of
from maya_core.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKind,
    MessageId,
    MessageStatus,
    NewMessage,
    Role,
    TitleSource,
    UserId,
)
from maya_core.domain.ids import new_id
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.engine import hand_over_soon
from maya_core.memory.recall import RecallPolicy
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.transcripts.sqlite_blocks import NEXT_ROW
from maya_core.stores.vectors.port import VectorItem
from maya_core.stores.vectors.sqlite import SqliteVectors

T = TypeVar("T")

MODEL = "stub:1"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
BY_WORDS = RecallPolicy().by_words
MESSAGE = f"""
    INSERT INTO messages (row, id, conversation_id, user_id, seq, turn_id, role, speaker, text, said_at, status)
    VALUES ({NEXT_ROW}, :id, :conversation_id, :user_id, :seq, '', 'user', 'You', :text, :said_at, 'complete')
"""  # noqa: S608
_COUNT = """
    UPDATE conversations SET message_count = (SELECT count(*) FROM messages WHERE conversation_id = conversations.id)
"""
PEERS = ("mem0-chroma", "mem0-qdrant")
WANTED = {
    "ratio_mem0_chroma_search": "<= 0.1",
    "ratio_mem0_qdrant_add": "<= 0.5, or the next",
    "ratio_bare_add": "<= 2.5",
    "recall_exact": ">= 0.99",
    "ratio_50k_10k": "<= 3",
}


class Maya:
    """Maya's embedded stores as a memory layer."""

    def __init__(self, folder: Path, embed: Embed) -> None:
        self._embed = embed
        self._loop = asyncio.new_event_loop()
        self._database = Database(folder / "maya.db")
        self._transcripts, self._vectors = self._run(_open(self._database))
        self._chats: dict[str, ConversationId] = {}
        self._running: tuple[UserId, MessageId] | None = None

    def bulk(self, rows: Sequence[tuple[str, str]]) -> None:
        """All at once, past the port, which stores turn by turn."""
        self._run(self._bulk(rows))

    def add(self, user: str, text: str) -> None:
        self._run(self._add(UserId(user), text))

    def settle(self) -> None:
        """End the turn that the last add began. Not timed: it adds nothing to what was stored."""
        if self._running is not None:
            user, reply = self._running
            self._running = None
            self._run(
                self._transcripts.finish_reply(
                    user, reply, status=MessageStatus.INTERRUPTED, text="", spans=(), receipt=None, at=NOW
                )
            )

    def search(self, user: str, query: str, k: int) -> list[str]:
        search = partial(self._search, UserId(user), query, k)
        return self._run(self._database.together(search, timeout_s=60.0))  # as recall does

    def close(self) -> None:
        self._run(self._transcripts.close())
        self._loop.close()

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return self._loop.run_until_complete(work)

    async def _search(self, user: UserId, query: str, k: int) -> list[str]:
        vector = np.asarray(self._embed(query), np.float32)
        nearest, _ = await all_of(
            self._vectors.search(user, vector, kinds=(MemoryKind.EPISODE,), limit=k),
            self._transcripts.match_words(user, query, limit=BY_WORDS),
        )
        passages = await self._transcripts.list_passages(user, [hit.ref.message_ids[0] for hit in nearest])
        return [passage.excerpt.text for passage in passages]

    async def _add(self, user: UserId, text: str) -> None:
        chat = await self._chat(user)
        message = _row(chat, text, Role.USER, MessageStatus.COMPLETE)
        reply = _row(chat, "", Role.ASSISTANT, MessageStatus.STREAMING)
        stored, _ = await self._transcripts.begin_turn(user, message=message, reply=reply)
        await self._vectors.put(user, [self._item(chat, message.id, 0 if stored is None else stored.seq, text)])
        self._running = (user, reply.id)

    async def _bulk(self, rows: Sequence[tuple[str, str]]) -> None:
        items: dict[UserId, list[VectorItem]] = {}
        stored: list[dict[str, object]] = []
        for name, text in rows:
            user = UserId(name)
            chat = await self._chat(user)
            of_user = items.setdefault(user, [])
            message = MessageId(new_id())
            of_user.append(self._item(chat, message, len(of_user) + 1, text))
            said = {"id": message, "conversation_id": chat, "user_id": user, "seq": len(of_user), "text": text}
            stored.append({**said, "said_at": 0})
        await self._database.write(lambda connection: connection.executemany(MESSAGE, stored), timeout_s=600)
        await self._database.write(lambda connection: connection.execute(_COUNT))
        for user, of_user in items.items():
            await self._vectors.put(user, of_user)

    async def _chat(self, user: UserId) -> ConversationId:
        if user not in self._chats:
            self._chats[user] = ConversationId(f"chat-of-{user}")
            await self._transcripts.create(
                Conversation(
                    id=self._chats[user], user_id=user, title="", title_source=TitleSource.NONE,
                    kind=ConversationKind.NORMAL, tags=(), pinned=False, archived=False, created_at=NOW,
                    last_message_at=NOW, deleted_at=None, message_count=0,
                )
            )  # fmt: skip
        return self._chats[user]

    def _item(self, chat: ConversationId, message: MessageId, seq: int, text: str) -> VectorItem:
        ref = MemoryRef(
            id=message, kind=MemoryKind.EPISODE, conversation_id=chat, message_ids=(message,), first_seq=seq,
            last_seq=seq, speaker="You", said_at=NOW, model=MODEL, role=Role.USER,
        )  # fmt: skip
        return VectorItem(ref=ref, vector=np.asarray(self._embed(text), np.float32))


async def _open(database: Database) -> tuple[SqliteTranscripts, SqliteVectors]:
    transcripts = await SqliteTranscripts.open(database)
    return transcripts, await SqliteVectors.open(database, model=MODEL, dimension=DIM)


def _row(chat: ConversationId, text: str, role: Role, status: MessageStatus) -> NewMessage:
    ident = new_id()
    speaker = "You" if role is Role.USER else "Maya"
    return NewMessage(
        id=MessageId(ident), conversation_id=chat, turn_id=chat, role=role, speaker=speaker, text=text, said_at=NOW,
        status=status,
    )  # fmt: skip


def of_peer(name: str, size: int, ops: int) -> dict[str, float] | None:
    """A peer's figures from its own environment; None where that is not installed."""
    python = ROOT / ".venv-peers" / "bin" / "python"
    if not python.exists():
        return None
    command = [str(python), "-m", "benchmarks.peers.memory_layers", "--layer", name, "--size", str(size)]
    done = subprocess.run([*command, "--ops", str(ops)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"{name} cannot be measured: {done.stderr.strip().splitlines()[-1][:150]}")
        return None
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def figures_of(of_size: dict[int, dict[str, dict[str, float]]]) -> dict[str, float]:
    """Maya's figures at each size, and the ratios that are asked for."""
    figures: dict[str, float] = {}
    for size, layers in of_size.items():
        name = f"{size // 1000}k"
        figures[f"search_{name}_ms_p50"] = layers["maya"]["search_ms_p50"]
        figures[f"add_{name}_ms_p50"] = layers["maya"]["add_ms_p50"]
    at = of_size.get(10_000)
    if at is not None:
        figures["recall_exact"] = at["maya"]["recall_exact"]
        figures["reads_own_write"] = at["maya"]["reads_own_write"]
        figures["ratio_bare_add"] = at["maya"]["add_ms_p50"] / at["floor"]["add_ms_p50"]
        if "mem0-chroma" in at:
            figures["ratio_mem0_chroma_search"] = at["maya"]["search_ms_p50"] / at["mem0-chroma"]["search_ms_p50"]
        if "mem0-qdrant" in at:
            figures["ratio_mem0_qdrant_add"] = at["maya"]["add_ms_p50"] / at["mem0-qdrant"]["add_ms_p50"]
        if 50_000 in of_size:
            figures["ratio_50k_10k"] = figures["search_50k_ms_p50"] / figures["search_10k_ms_p50"]
    return figures


def main() -> None:
    hand_over_soon()  # as in the app
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,50000")
    parser.add_argument("--ops", type=int, default=200)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    of_size: dict[int, dict[str, dict[str, float]]] = {}
    for size in map(int, chosen.sizes.split(",")):
        makers = {"maya": Maya, "floor": LAYERS["floor"]}
        layers = {name: measure(make, size, ops=chosen.ops, budget_s=60) for name, make in makers.items()}
        for name in PEERS if size <= 10_000 and not chosen.no_peers else ():
            measured = of_peer(name, size, chosen.ops)
            if measured is not None:
                layers[name] = measured
        of_size[size] = layers
    if not any(name in layers for layers in of_size.values() for name in PEERS):
        print("Measured without mem0: `make bench-peers` installs it into .venv-peers.")
    report(of_size, ops=chosen.ops, as_json=chosen.json)


def report(of_size: dict[int, dict[str, dict[str, float]]], *, ops: int, as_json: bool) -> None:
    columns = ("search_ms_p50", "search_ms_p95", "recall_exact", "add_ms_p50", "add_ms_p95")
    rows = [
        [name, str(size), *(f"{layer[column]:.3f}" for column in columns)]
        for size, layers in of_size.items()
        for name, layer in layers.items()
    ]
    print_table(["layer", "memories", *columns], rows)
    figures = figures_of(of_size)
    if not as_json:
        print_figures(figures, wanted=WANTED)
        return
    at = of_size.get(10_000) or next(iter(of_size.values()))
    peers = {name: figures for name, figures in at.items() if name != "maya"}
    method = f"stub embedder of {DIM} numbers, 10 users, {ops} searches (top 10, vectors and words) and durable adds"
    print_json("memory", figures=figures, peers=peers, method=method)


if __name__ == "__main__":
    main()
