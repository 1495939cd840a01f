"""How a transition of a circuit reads in the log."""

import logging
from collections import Counter
from collections.abc import Sequence

from maya_core.alerts import Alert, alert
from maya_core.domain.health import Circuit
from maya_core.errors import FailureKind
from maya_core.resilience.rules import Event

logger = logging.getLogger(__name__)

_ALERTS = {
    Event.OPENED: Alert.BREAKER_OPENED,
    Event.REOPENED: Alert.BREAKER_REOPENED,
    Event.CLOSED: Alert.BREAKER_CLOSED,
}


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
    """One WARNING with what happened, why, and when the next probe is due, and the alert of the same."""
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
    alert(
        _ALERTS[event],
        circuit=circuit.name,
        reason=recent[0].value if recent and event is not Event.CLOSED else "-",
        open_for_s=open_for_s,
    )
