"""A provider that plays a script: for tests, demonstrations and benchmarks."""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from maya_core.domain.generation import Finished, Prompt, ProviderEvent, TextDelta
from maya_core.errors import FailureKind, ProviderError

Step = TextDelta | Finished | FailureKind | ProviderError | Callable[[], Awaitable[object]]
"""An event to yield, a failure to raise, or something to wait for."""

_REMEMBERED_CALLS = 1000


class ScriptedProvider:
    """Plays `scripts` in order, one per call; the last one again for every further call.

    A script that ends without `Finished` or a failure raises STREAM_BROKEN, as a vendor's stream would.
    """

    def __init__(
        self,
        scripts: Sequence[Sequence[Step]],
        *,
        name: str = "scripted",
        model: str = "script",
        label: str = "Scripted",
        keys: Sequence[str] = (),
    ) -> None:
        if not scripts:
            raise ValueError("a scripted provider needs at least one script")
        self.name = name
        self.model = model
        self.label = label
        self.keys = tuple(keys)
        self.asked: deque[tuple[Prompt, str]] = deque(maxlen=_REMEMBERED_CALLS)
        """Prompt and key of every call, newest last."""
        self.calls = 0
        self.closed = False
        self._scripts = scripts

    async def stream(self, prompt: Prompt, *, key: str) -> AsyncGenerator[ProviderEvent, None]:
        script = self._scripts[min(self.calls, len(self._scripts) - 1)]
        self.calls += 1
        self.asked.append((prompt, key))
        for step in script:
            if isinstance(step, TextDelta):
                yield step
            elif isinstance(step, Finished):
                yield step
                return
            elif isinstance(step, ProviderError):
                raise step
            elif isinstance(step, FailureKind):
                raise ProviderError(step, provider=self.name, model=self.model, detail="scripted")
            else:
                await step()
        raise ProviderError(FailureKind.STREAM_BROKEN, provider=self.name, model=self.model, detail="the script ended")

    async def close(self) -> None:
        self.closed = True
