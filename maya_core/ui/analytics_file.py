"""The figures of the analytics page as a file for spreadsheets."""

import csv
import io

from maya_core.domain.calls import percentile
from maya_core.domain.usage import MICRO
from maya_core.usage.analytics import View

_COLUMNS = (
    "begins_at_utc person provider model purpose calls answered stopped failed fallbacks tokens_in tokens_out cost "
    "currency first_word_p50_ms first_word_p95_ms"
).split()


def as_csv(taken: View) -> bytes:
    """What is shown, a row for each stretch, model and purpose, then for each person. Cells never begin a formula."""
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(_COLUMNS)
    for each in taken.sums:
        fast = percentile(each.first_text, 0.5), percentile(each.first_text, 0.95)
        sheet.writerow(
            [
                f"{each.begins_at:%Y-%m-%dT%H:%M}",
                _cell(each.user_id),
                _cell(each.provider),
                _cell(each.model),
                each.purpose.value,
                each.calls,
                each.answered,
                each.stopped,
                sum(each.failed.values()),
                each.fallbacks,
                each.tokens_in,
                each.tokens_out,
                f"{each.cost_micro / MICRO:.6f}" if taken.priced else "",
                _cell(taken.currency),
                *("" if ms is None else round(ms) for ms in fast),
            ]
        )
    for share in taken.by_person:
        sheet.writerow(
            [
                "whole period",
                _cell(share.name),
                *("", "", ""),
                share.calls,
                share.answered,
                *("", "", ""),
                share.tokens_in,
                share.tokens_out,
                f"{share.cost_micro / MICRO:.6f}" if taken.priced else "",
                _cell(taken.currency),
            ]
        )
    return text.getvalue().encode("utf-8")


def _cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
