"""The analytics page: how much Maya is used, by whom and through which model, how fast, and what it costs.

One view is read for the whole page; plots, tables and the download show the same figures.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from maya_core.accounts.access import User
from maya_core.clock import SystemClock
from maya_core.domain.generation import Purpose
from maya_core.domain.usage import MICRO
from maya_core.ui import charts, navigation, words
from maya_core.ui.analytics_file import as_csv
from maya_core.ui.analytics_plots import PURPOSES, plots, short
from maya_core.ui.boundary import guarded, refusal_view, show
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading, browser_zone, named
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view
from maya_core.usage.analytics import Period, Share, View, sees_everyone
from maya_core.usage.limits import Allowance

_WITHIN_S = 15.0
_ROWS = 50
_PERIODS = {
    Period.DAY: "24 hours",
    Period.WEEK: "7 days",
    Period.MONTH: "30 days",
    Period.QUARTER: "90 days",
    Period.YEAR: "Year",
}
_EVERYONE, _OWN = "Everyone", "Only me"


def analytics_page(maya: Runtime, user: User) -> None:
    """Draw it."""
    reading = Reading(now=SystemClock().now(), zone=browser_zone(), label=named(maya.labels))
    with st.container(key="wide_page"):
        view([el("header", el("h1", "Analytics"), class_="page-head", key="head")], key="analytics_head")
        if refusal := st.session_state.pop("refusal", ""):
            view([refusal_view(refusal)], key="analytics_refusal")
        period, everyone = _picked(user)
        show(lambda: _figures(maya, user, period, reading, everyone=everyone), key="analytics")
    if navigation.moved():
        st.rerun()


def _picked(user: User) -> tuple[Period, bool]:
    """The period, and whose figures."""
    with st.container(horizontal=True, key="analytics_pickers", vertical_alignment="center"):
        chosen = st.segmented_control(
            "Period",
            list(_PERIODS),
            format_func=_PERIODS.__getitem__,
            default=Period.WEEK,
            key="analytics_period",
            label_visibility="collapsed",
        )
        whose = _OWN
        if sees_everyone(user):
            whose = (
                st.segmented_control(
                    "Whose figures",
                    [_EVERYONE, _OWN],
                    default=_EVERYONE,
                    key="analytics_whose",
                    label_visibility="collapsed",
                )
                or _EVERYONE
            )
    return chosen or Period.WEEK, whose == _EVERYONE


def _figures(maya: Runtime, user: User, period: Period, reading: Reading, *, everyone: bool) -> None:
    analytics = maya.container.usage.analytics
    taken = maya.engine.run(analytics.view(user, period, everyone=everyone), timeout_s=_WITHIN_S)
    if not taken.now.calls and not taken.now.messages and not taken.memory:
        view([_nothing(period)], key="analytics_empty", on_act=guarded(_act))
        return
    view([_four(taken, period), _notes(taken, reading)], key="analytics_four")
    look = charts.theme()
    for name, title, note, figure in plots(taken, period, look, reading):
        view(
            [el("section", el("h2", title), el("p", note, class_="note") if note else "", key=name)],
            key=f"about_{name}",
        )
        charts.show(figure, key=f"plot_{name}_{period.value}")
    view(_tables(taken, reading), key="analytics_tables")
    st.download_button(
        "Download these figures (CSV)",
        data=lambda: as_csv(taken),
        file_name=f"maya-usage-{taken.span.since:%Y-%m-%d}-to-{taken.span.until:%Y-%m-%d}.csv",
        mime="text/csv",
        key="analytics_csv",
        on_click="ignore",  # drawing the page anew would take away the file that is being fetched
        icon=":material/download:",
    )


def _act(act: Act) -> None:
    if act.name == "new_chat":
        navigation.new_chat()


def _nothing(period: Period) -> Node:
    return el(
        "section",
        el("p", f"No model was asked and nothing was written in this period ({_PERIODS[period].lower()})."),
        el("p", el("button", "Start a chat", class_="link", act="new_chat", to="new")),
        class_="empty",
        key="empty",
    )


def _four(taken: View, period: Period) -> Node:
    now, before = taken.now, taken.before
    cards = [
        ("Replies", f"{now.answers:,}", change(now.answers, before.answers)),
        ("People", f"{now.people:,}", change(now.people, before.people))
        if taken.everyone
        else ("Messages", f"{now.messages:,}", change(now.messages, before.messages)),
        (
            "Median time to first word",
            "–" if now.first_text_p50_ms is None else words.length(now.first_text_p50_ms),
            change(now.first_text_p50_ms, before.first_text_p50_ms),
        ),
    ]
    if taken.priced:
        spent = change(now.cost_micro, before.cost_micro)
        cards.append(("Cost", money(now.cost_micro, taken.currency), spent))
    else:
        tokens = change(now.tokens_in + now.tokens_out, before.tokens_in + before.tokens_out)
        cards.append(("Tokens", short(now.tokens_in + now.tokens_out), tokens))
    return el(
        "dl",
        *[
            el("div", el("dt", name), el("dd", value, class_="big"), el("dd", than, class_="note"))
            for name, value, than in cards
        ],
        class_="four",
        title=f"Compared with the {_PERIODS[period].lower()} before",
        key="four",
    )


def change(now: float | None, before: float | None) -> str:
    """How a figure compares with that of the period before."""
    if now is None:
        return "not measured"
    if not before:
        return "nothing to compare with" if now else "as before"
    percent = (now - before) / before
    if abs(percent) < 0.005:
        return "as before"
    return f"{'+' if percent > 0 else '−'}{abs(percent):.0%} on the period before"


def money(micro: int, currency: str) -> str:
    """An amount: "0.42 USD"."""
    return f"{micro / MICRO:,.2f} {currency}".strip()


def _notes(taken: View, reading: Reading) -> Node:
    now = taken.now
    calls = f"{words.count(now.calls, 'call')} to models, {now.failed:,} failed" if now.calls else "no model was asked"
    said = [f"{words.count(now.messages, 'message')}, {words.count(now.chats, 'new chat')}; {calls}."]
    if now.good or now.bad:
        said.append(f"Feedback: {now.good:,} good, {now.bad:,} bad.")
    if not taken.priced:
        said.append("No price is set (MAYA_PRICES), so tokens are shown and no cost.")
    elif now.unpriced:
        said.append(f"The cost of {words.count(now.unpriced, 'call')} is not known and not in the sum.")
    limits = [el("li", _limit(each, taken.currency, reading)) for each in taken.allowances]
    return el(
        "div",
        *[el("p", sentence, class_="note") for sentence in said],
        el("ul", *limits, class_="limits") if limits else "",
        el(
            "p",
            f"As of {words.said_when(taken.taken_at, now=reading.now, zone=reading.zone)}. Days are UTC.",
            class_="note",
        ),
        class_="beside",
        key="notes",
    )


def _limit(allowance: Allowance, currency: str, reading: Reading) -> str:
    """One limit in words: how far it is used, and until when it lasts."""
    kind, _, name = allowance.name.partition(":")
    used, limit = f"{allowance.used:,}", f"{allowance.limit:,}"
    if "money" in kind:
        used, limit = money(allowance.used, currency), money(allowance.limit, currency)
    whose = {
        "requests": f"{name.capitalize()}, requests this month",
        "background": f"{name.capitalize()}, requests in the background",
        "money": f"{name.capitalize()}, money this month",
        "background-money": f"{name.capitalize()}, money in the background",
        "money-of": "Your money this month",
    }.get(kind, allowance.name)
    ends = "lasts at this pace"
    if allowance.runs_out_at is not None:
        ends = f"at this pace used up on {words.day(allowance.runs_out_at, now=reading.now, zone=reading.zone)}"
    if allowance.used >= allowance.limit:
        ends = "used up"
    begins = words.day(allowance.resets_at, now=reading.now, zone=reading.zone)
    return f"{whose}: {used} of {limit}, {ends}; begins anew on {begins}"


def _tables(taken: View, reading: Reading) -> list[Node]:
    def by_model(name: str) -> str:
        provider, _, model = name.partition(":")
        label = reading.label(provider, model)
        return f"{label} ({model})" if model else label

    parts: list[tuple[str, str, Sequence[Share], Callable[[str], str]]] = [
        ("By provider", "Provider", taken.by_provider, lambda name: reading.label(name, "")),
        ("By model", "Model", taken.by_model, by_model),
        ("By purpose", "Purpose", taken.by_purpose, lambda name: PURPOSES[Purpose(name)]),
    ]
    if taken.everyone:
        parts.append(("By person", "Person", taken.by_person, lambda name: name or "Maya itself, or a deleted account"))
    return [_table(title, first, shares, name, taken) for title, first, shares, name in parts if shares]


def _table(title: str, first: str, shares: Sequence[Share], name: Callable[[str], str], taken: View) -> Node:
    heads = [first, "Calls", "Answered", "Tokens in", "Tokens out", *(["Cost"] if taken.priced else [])]
    rows: list[Node] = []
    for share in shares[:_ROWS]:
        figures = [f"{share.calls:,}", f"{share.answered:,}", f"{share.tokens_in:,}", f"{share.tokens_out:,}"]
        if taken.priced:
            figures.append(money(share.cost_micro, taken.currency) + (" +" if share.unpriced else ""))
        rows.append(
            el("tr", el("td", el("bdi", name(share.name)[:120])), *[el("td", f, class_="figure") for f in figures])
        )
    more = f"{len(shares) - _ROWS:,} more are in the download." if len(shares) > _ROWS else ""
    return el(
        "section",
        el("h2", title),
        el(
            "div",
            el("table", el("thead", el("tr", *[el("th", head) for head in heads])), el("tbody", *rows)),
            class_="scroll figures",
        ),
        el("p", more, class_="note") if more else "",
        key=title,
    )
