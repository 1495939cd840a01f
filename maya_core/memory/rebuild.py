"""Vectors and graph made again from the transcripts' database: decisions are replayed, messages embedded anew.

Nothing is taken away first, so chat and recall go on with what is there. What is right already is left alone, so an
interrupted rebuild goes on where it was when it is started again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from maya_core.domain.conversation import UserId
from maya_core.memory.verify import Verification
from maya_core.stores.vectors.port import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """How far a rebuild is: records put right of all that were found wrong, and users done of all."""

    done: int
    total: int
    users_done: int
    users: int


Show = Callable[[Rebuilt], None]
"""Draws the progress; called from the loop, so it must be quick."""


class Rebuild:
    """Brings both stores to what the transcripts' database says, and removes the vectors of models no longer used."""

    def __init__(self, *, verification: Verification, vectors: Vectors | None) -> None:
        self._verification = verification
        self._vectors = vectors

    async def run(self, *, show: Show | None = None) -> int:
        """Rebuild everybody's memory; how many records were put right.

        Raises Conflict while a worker is busy with a user for long, StoreError, ProviderError; what is done stays.
        """
        users = await self._verification.users()
        wrong = {user: len(await self._verification.verify(user)) for user in users}
        progress = _Progress(total=sum(wrong.values()), users=len(users), show=show or _show_nothing)
        for user in users:
            await self._rebuild(user, wrong[user], progress)
        await self._remove_old_models()
        return progress.done

    async def _rebuild(self, user: UserId, wrong: int, progress: "_Progress") -> None:
        before = progress.done
        if wrong:
            await self._verification.verify(user, fix=True, report=progress.add)
        progress.finish_user(at_least=before + wrong)

    async def _remove_old_models(self) -> None:
        if self._vectors is None:
            return
        for stored in await self._vectors.models():
            if stored.model != self._vectors.model:
                await self._vectors.delete_model(stored.model)


class _Progress:
    """Counts, and shows each step."""

    def __init__(self, *, total: int, users: int, show: Show) -> None:
        self.done = 0
        self._total = total
        self._users = users
        self._users_done = 0
        self._show = show
        self._tell()

    def add(self, count: int) -> None:
        """Some records more are right."""
        self.done += count
        self._total = max(self._total, self.done)
        self._tell()

    def finish_user(self, *, at_least: int) -> None:
        """A user is done: what was wrong at first and is not any more counts as well."""
        self.done = max(self.done, at_least)
        self._users_done += 1
        self._tell()

    def _tell(self) -> None:
        self._show(Rebuilt(done=self.done, total=self._total, users_done=self._users_done, users=self._users))


def _show_nothing(_: Rebuilt) -> None:
    return
