"""How a transition of a circuit reads in the log."""

import logging
from collections import Counter
from collections.abc import Sequence

from maya_core.domain.health import Circuit
from maya_core.errors import FailureKind
from maya_core.resilience.rules import Event

logger = logging.getLogger(__name__)


def log_transition(
    circuit: Circuit,
    event: Event,
    *,
    generation: int,
    open_for_s: float,
    calls: int,
    failures: int,
    slow: int,
    recent: Sequence[FailureKind],
) -> None:
    """One WARNING with what happened, why, and when the next probe is due."""
    causes = " ".join(f"{cause.value}={count}" for cause, count in Counter(recent).most_common())
    logger.warning(
        "breaker %s %s: generation=%d open_for_s=%.0f calls=%d failures=%d slow=%d recent=[%s]",
        circuit.name,
        event.value,
        generation,
        open_for_s,
        calls,
        failures,
        slow,
        causes,
    )
