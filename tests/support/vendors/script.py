"""What each vendor is to do next, and what it was asked: the state behind the fake vendors."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field

from tests.support.vendors.behaviour import Behaviour, Ending, Operation, Vendor
from tests.support.vendors.dialects import DIALECTS
from tests.support.vendors.errors import JsonObject, wire_error

_RECORDED_REQUESTS = 10_000


@dataclass(slots=True, kw_only=True)
class Received:
    """One request as a vendor saw it. `outcome` is "open" until the answer has ended.

    `at_s` is monotonic and `key_last4` the last four characters of the key, "" when there was none.
    Outcomes: complete, closed (by the fake, as it was told to) and client gone.
    """

    vendor: Vendor
    operation: Operation
    path: str
    key_last4: str
    model: str
    streamed: bool
    body: JsonObject
    at_s: float
    outcome: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom a script is for; None stands for every key or every model. Keys are told apart by `key_last4`."""

    vendor: Vendor
    operation: Operation = Operation.CHAT
    key_last4: str | None = None
    model: str | None = None


@dataclass(slots=True)
class _Script:
    queue: deque[Behaviour] = field(default_factory=deque)
    default: Behaviour | None = None


class ScriptBook:
    """Queues and defaults by scope, and the requests received. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: dict[Scope, _Script] = {}
        self._received: deque[Received] = deque(maxlen=_RECORDED_REQUESTS)
        self._counts: Counter[Vendor] = Counter()

    def extend(self, scope: Scope, behaviours: tuple[Behaviour, ...]) -> None:
        """Put behaviours at the end of the queue of a scope; each serves one request."""
        for behaviour in behaviours:
            check(scope.vendor, behaviour)
        with self._lock:
            self._scripts.setdefault(scope, _Script()).queue.extend(behaviours)

    def set_default(self, scope: Scope, behaviour: Behaviour) -> None:
        """Say what a scope does when its queue is empty."""
        check(scope.vendor, behaviour)
        with self._lock:
            self._scripts.setdefault(scope, _Script()).default = behaviour

    def take(self, scope: Scope) -> Behaviour:
        """The behaviour for one request: the narrowest scope decides, its queue before its default."""
        narrowing = [
            (scope.key_last4, scope.model),
            (scope.key_last4, None),
            (None, scope.model),
            (None, None),
        ]
        with self._lock:
            for key_last4, model in narrowing:
                script = self._scripts.get(
                    Scope(vendor=scope.vendor, operation=scope.operation, key_last4=key_last4, model=model)
                )
                if script is not None and script.queue:
                    return script.queue.popleft()
                if script is not None and script.default is not None:
                    return script.default
        return Behaviour()

    def record(self, received: Received) -> None:
        """Keep a request; the oldest beyond 10,000 are dropped, the counts are not."""
        with self._lock:
            self._received.append(received)
            self._counts[received.vendor] += 1

    def received(self, vendor: Vendor | None = None) -> list[Received]:
        """The requests so far, oldest first."""
        with self._lock:
            return [request for request in self._received if vendor in (None, request.vendor)]

    def counts(self) -> dict[Vendor, int]:
        """How many requests each vendor got."""
        with self._lock:
            return {vendor: self._counts[vendor] for vendor in Vendor}

    def reset(self) -> None:
        """Forget every script and every request."""
        with self._lock:
            self._scripts.clear()
            self._received.clear()
            self._counts.clear()


def check(vendor: Vendor, behaviour: Behaviour) -> None:
    """Raise ValueError for what this vendor cannot do on the wire, at the moment it is scripted."""
    if behaviour.finish not in DIALECTS[vendor].finishes:
        raise ValueError(f"{vendor.value} does not finish with {behaviour.finish.value!r}")
    if behaviour.error is not None:
        wire_error(vendor, behaviour.error)
    if behaviour.ending is Ending.ERROR_FRAME and behaviour.error is None:
        raise ValueError("an error frame needs `error`")
    if behaviour.status is not None and behaviour.error is None and behaviour.raw_body is None:
        raise ValueError("a status needs `error` or `raw_body`")
