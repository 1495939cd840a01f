"""What every script run needs: the engine with the container on it, and who is asking.

Streamlit runs the pages in many short-lived threads; there is one runtime for all of them. The launcher starts it
before the first page; a page test that has no launcher gets one from the environment on first use.
"""

import asyncio
import atexit
import gc
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

from maya_core import logs, settings
from maya_core.accounts.access import LOCAL_USER, User
from maya_core.chat.conversations import ConversationService
from maya_core.chat.turn import TurnService
from maya_core.container import Container, build_container
from maya_core.domain.health import CircuitSnapshot, Light
from maya_core.engine import Engine
from maya_core.health.readiness import Readiness
from maya_core.health_parts import Health
from maya_core.jobs.child import WorkerChild
from maya_core.jobs.port import JobTable
from maya_core.stores.transcripts.port import Transcripts
from maya_core.ui.beginnings import Beginnings
from maya_core.ui.review_count import ReviewCounts
from maya_core.web.monitoring import Monitoring

_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 30.0
_ASKED_WITHIN_S = 5.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Runtime:
    """The running Maya, as the pages see it. Safe from any thread; coroutines go through `engine.run`."""

    engine: Engine
    container: Container
    review_counts: ReviewCounts = field(default_factory=ReviewCounts)
    beginnings: Beginnings = field(default_factory=Beginnings)

    @property
    def turns(self) -> TurnService:
        return self.container.turns

    @property
    def conversations(self) -> ConversationService:
        return self.container.conversations

    @property
    def transcripts(self) -> Transcripts:
        return self.container.transcripts

    @property
    def health(self) -> Health:
        """How Maya is: what the providers page shows and does."""
        return self.container.health

    @property
    def model_configured(self) -> bool:
        """Some model beside the offline provider is configured."""
        return self.container.model_configured

    @property
    def env_lines(self) -> tuple[str, ...]:
        """The lines for `.env` that add a model."""
        return (
            "GEMINI_API_KEYS=your-key",
            "ANTHROPIC_API_KEY=your-key",
            "COHERE_API_KEY=your-key",
            "OLLAMA_HOST=http://127.0.0.1:11434",
        )

    def labels(self, provider: str, model: str) -> str:
        """The name that people know a model by."""
        return self.container.label(provider, model)

    def lights(self) -> tuple[Light, ...]:
        """How each part of Maya is, as last looked at; no waiting."""
        return self.container.lights()

    def lights_of(self, user: User) -> tuple[Light, ...]:
        """What concerns this person alone, as last looked at; no waiting."""
        outlook = self.container.usage.outlook
        own = None if outlook is None else outlook.light_of(user.id)
        return () if own is None else (own,)

    def breakers(self) -> tuple[CircuitSnapshot, ...]:
        """Every provider's breaker as it stands now."""
        return self.engine.run(self.container.breaker.snapshot(self.container.circuits), timeout_s=2.0)


class _Holder:
    """The one runtime of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runtime: Runtime | None = None
        self.worker: WorkerChild | None = None


_holder = _Holder()


def start(chosen: settings.Settings, *, jobs: JobTable | None = None) -> Runtime:
    """Open everything. Called once by the launcher; again, it gives the same runtime.

    With `jobs`, a worker is started beside the app where other processes can reach its Redis.
    """
    with _holder.lock:
        if _holder.runtime is None:
            engine = Engine()
            try:
                container = engine.run(build_container(chosen, jobs=jobs), timeout_s=_START_WITHIN_S)
            except BaseException:
                engine.stop()
                raise
            _holder.runtime = Runtime(engine, container)
            if jobs and container.redis.url and chosen.worker == "auto":
                _holder.worker = WorkerChild(settings.ROOT)
                _holder.worker.start()
            threading.Thread(target=_warm, args=(container,), name="maya-warm", daemon=True).start()
        return _holder.runtime


def stop() -> None:
    """Close everything: running replies are kept as they are, the embedded server ends with its last user."""
    with _holder.lock:
        runtime, _holder.runtime = _holder.runtime, None
        worker, _holder.worker = _holder.worker, None
    if worker is not None:
        worker.stop()
    if runtime is not None:
        try:
            runtime.engine.run(runtime.container.close(), timeout_s=_STOP_WITHIN_S)
        finally:
            runtime.engine.stop()


def current() -> Runtime:
    """The running Maya."""
    runtime = _holder.runtime
    if runtime is None:
        chosen = settings.load()
        logs.configure(chosen.log_level, chosen.secrets)
        runtime = start(chosen)
        atexit.register(stop)
    return runtime


def monitoring(chosen: settings.Settings) -> Monitoring:
    """What `/readyz` and `/metrics` ask, from the server's loop, of the Maya that runs by then."""

    async def ready() -> Readiness | None:
        return await _from_outside(lambda container: container.health.ready())

    async def metrics() -> bytes | None:
        return await _from_outside(lambda container: container.health.metrics())

    token = chosen.metrics_token.get_secret_value() if chosen.metrics_token is not None else ""
    return Monitoring(ready=ready, metrics=metrics, token=token)


async def _from_outside(ask: Callable[[Container], Coroutine[object, object, T]]) -> T | None:
    """Ask on the engine's loop from another one. None when Maya is not running; raises TimeoutError."""
    runtime = _holder.runtime
    if runtime is None:
        return None
    async with asyncio.timeout(_ASKED_WITHIN_S):
        return await asyncio.wrap_future(runtime.engine.start(ask(runtime.container)))


def require_user() -> User:
    """Who is asking. Every page calls it first; in local mode it is the person at this machine."""
    return LOCAL_USER


def _warm(container: Container) -> None:
    """Import what the first page and the first reply need, then take it all out of the garbage collector's sight.

    Streamlit collects after every run of a script; over the modules that stay for good, that is wasted work.
    """
    import pyvis.network  # noqa: F401
    import streamlit.elements.markdown
    import streamlit.runtime.app_session  # noqa: F401

    container.warm()
    gc.collect()
    gc.freeze()
