"""The vectors of facts and summaries: a few texts are embedded at once, and written under the lease of their user."""

from collections.abc import Callable, Sequence

from maya_core.domain.conversation import UserId
from maya_core.embeddings.port import Embedder
from maya_core.failpoint import failpoint
from maya_core.memory.decisions import Text
from maya_core.memory.holding import Hold
from maya_core.memory.parts import parts
from maya_core.stores.vectors.port import VectorItem, Vectors

_AT_ONCE = 16


async def put_texts(
    hold: Hold,
    user_id: UserId,
    texts: Sequence[Text],
    *,
    embedder: Embedder,
    vectors: Vectors,
    report: Callable[[int], None] | None = None,
) -> None:
    """Embed and store them, telling `report` how many were stored now.

    Raises LeaseLost, StoreUnavailable and ProviderError.
    """
    for part in parts(texts, _AT_ONCE):
        failpoint("K10")
        rows = await embedder.embed_texts([text.text for text in part])
        hold.check()
        items = [VectorItem(ref=text.ref, vector=row) for text, row in zip(part, rows, strict=True)]
        await vectors.put(user_id, items)
        if report is not None:
            report(len(part))
