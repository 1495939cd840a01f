"""Conversations with questions whose evidence is known: what a retriever is measured on, and how it is scored.

Two formats are read: LoCoMo's (Maharana et al., 2024; fetch it yourself, its licence is CC BY-NC 4.0), and histories
as JSON lines. The repairs of LoCoMo's malformed evidence are those that its users agree on.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maya_core.domain.conversation import Role

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}
_EVIDENCE = re.compile(r"D\s*:?\s*(\d+)\s*:\s*0*(\d+)")
_RANGE = re.compile(r"D(\d+):(\d+)\s*-\s*D(\d+):(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One message of a history. Ids are unique within the history."""

    id: str
    role: Role
    speaker: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question with the messages that answer it."""

    text: str
    evidence: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The chats of one person, in order, and what is asked about them."""

    id: str
    chats: tuple[tuple[Utterance, ...], ...]
    questions: tuple[Asked, ...]


def read_locomo(path: Path) -> list[History]:
    """Every answerable question (category 5 has no answer); a caption stands in place of its picture."""
    return [_locomo_history(item) for item in json.loads(path.read_text("utf-8"))]


def read_histories(path: Path) -> list[History]:
    """JSON lines: history_id, conversations [{id, started_at, messages [{id, role, text, at}]}], questions."""
    return [_history(json.loads(line)) for line in path.read_text("utf-8").splitlines() if line.strip()]


def score(ranked: Sequence[str], evidence: Iterable[str]) -> dict[str, float]:
    """Recall at 5, 10 and 20, and nDCG at 10 with gains of 0 and 1, of one ranking."""
    wanted = set(evidence)
    found = {f"recall_at_{k}": len(wanted.intersection(ranked[:k])) / len(wanted) for k in (5, 10, 20)}
    gain = sum(1 / math.log2(place + 2) for place, id in enumerate(ranked[:10]) if id in wanted)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(len(wanted), 10)))
    return {**found, "ndcg_at_10": gain / ideal}


def _locomo_history(item: dict[str, Any]) -> History:
    talk = item["conversation"]
    numbers = sorted(int(key.split("_")[1]) for key in talk if re.fullmatch(r"session_\d+", key))
    chats = tuple(
        tuple(_locomo_utterance(turn, _locomo_date(talk[f"session_{n}_date_time"])) for turn in talk[f"session_{n}"])
        for n in numbers
    )
    known = {said.id for chat in chats for said in chat}
    asked = (
        Asked(text=q["question"], evidence=evidence, kind=CATEGORIES[q["category"]])
        for q in item["qa"]
        if q["category"] in CATEGORIES and (evidence := tuple(_locomo_evidence(q.get("evidence", []), known)))
    )
    return History(id=item["sample_id"], chats=chats, questions=tuple(asked))


def _locomo_utterance(turn: dict[str, Any], at: datetime) -> Utterance:
    caption = turn.get("blip_caption", "")
    text = f"{turn['text']} [shares {caption}]" if caption else turn["text"]
    return Utterance(id=turn["dia_id"], role=Role.USER, speaker=turn["speaker"], text=text, at=at)


def _locomo_date(text: str) -> datetime:
    upper = text.strip().replace("am on", "AM on").replace("pm on", "PM on")
    return datetime.strptime(upper, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)


def _locomo_evidence(raw: Sequence[str], known: set[str]) -> Iterator[str]:
    found: dict[str, None] = {}
    for text in raw:
        for first, start, last, end in _RANGE.findall(text):
            if first == last:
                found.update(dict.fromkeys(f"D{first}:{n}" for n in range(int(start), int(end) + 1)))
        found.update(dict.fromkeys(f"D{session}:{turn}" for session, turn in _EVIDENCE.findall(text)))
    return (id for id in found if id in known)


def _history(item: dict[str, Any]) -> History:
    chats = tuple(
        tuple(
            Utterance(
                id=said["id"],
                role=Role(said["role"]),
                speaker=said.get("speaker") or ("Maya" if said["role"] == Role.ASSISTANT.value else "You"),
                text=said["text"],
                at=_moment(said.get("at") or chat["started_at"]),
            )
            for said in chat["messages"]
        )
        for chat in item["conversations"]
    )
    questions = tuple(
        Asked(text=q["q"], evidence=tuple(q["evidence"]), kind=q.get("kind", "")) for q in item["questions"]
    )
    return History(id=item["history_id"], chats=chats, questions=questions)


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
