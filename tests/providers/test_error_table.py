"""The rows of the error table that a vendor can cause, through the real SDKs: which kind comes out of an adapter.

`tests/providers/test_chain_table.py` shows what the chain then does, and covers the rows that are no adapter's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio

from maya_core.domain.generation import FinishReason
from maya_core.errors import FailureKind
from maya_core.providers.port import Provider
from tests.providers.adapters import IMPATIENT_S, PATIENT_S, PROMPT, adapter, read
from tests.support.vendors import Behaviour, Ending, ErrorKind, FakeVendors, Finish, Vendor, unused_url

pytestmark = pytest.mark.asyncio(loop_scope="module")

K = FailureKind
ALL = tuple(Vendor)
KEYED = (Vendor.GEMINI, Vendor.ANTHROPIC, Vendor.COHERE)
CHUNKS = ("The offsite ", "is in ", "Porto ", "in May.")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cause and the kind it has to become; `special` where a vendor's wire makes it another.

    `after` tells whether two chunks of text come first.
    """

    number: int
    kind: FailureKind
    behaviour: Behaviour
    vendors: tuple[Vendor, ...] = ALL
    special: Mapping[Vendor, FailureKind] = field(default_factory=dict)
    after: bool = False
    retry_after_s: float | None = None
    impatient: bool = False

    def kind_for(self, vendor: Vendor) -> FailureKind:
        return self.special.get(vendor, self.kind)

    def __str__(self) -> str:
        cause = self.behaviour.error or self.behaviour.ending
        place = "after-text" if self.after else "before-text"
        return f"row{self.number}-{cause.value}-{place}"


def _http(number: int, kind: FailureKind, error: ErrorKind, *vendors: Vendor, **more: float) -> Row:
    return Row(
        number=number,
        kind=kind,
        behaviour=Behaviour(error=error, retry_after="9" if more else None),
        vendors=vendors or ALL,
        retry_after_s=more.get("retry_after_s"),
    )


def _ending(
    number: int,
    ending: Ending,
    before: FailureKind,
    after: FailureKind | None,
    *,
    impatient: bool = False,
    special: Mapping[Vendor, FailureKind] | None = None,
) -> Iterator[Row]:
    behaviour = Behaviour(text=CHUNKS, ending=ending)
    yield Row(number=number, kind=before, behaviour=behaviour, impatient=impatient, special=special or {})
    if after is not None:
        yield Row(
            number=number, kind=after, behaviour=replace(behaviour, after_chunks=2), impatient=impatient, after=True
        )


def _in_band(number: int, kind: FailureKind, error: ErrorKind, *vendors: Vendor) -> Iterator[Row]:
    behaviour = Behaviour(text=CHUNKS, error=error, ending=Ending.ERROR_FRAME)
    yield Row(number=number, kind=kind, behaviour=behaviour, vendors=vendors or ALL)
    yield Row(
        number=number, kind=kind, behaviour=replace(behaviour, after_chunks=2), vendors=vendors or ALL, after=True
    )


def _finish(number: int, kind: FailureKind, finish: Finish, *vendors: Vendor) -> Iterator[Row]:
    yield Row(number=number, kind=kind, behaviour=Behaviour(text="", finish=finish), vendors=vendors)
    yield Row(
        number=number, kind=kind, behaviour=Behaviour(text=CHUNKS[:2], finish=finish), vendors=vendors, after=True
    )


G, A, C, O = Vendor.GEMINI, Vendor.ANTHROPIC, Vendor.COHERE, Vendor.OLLAMA  # noqa: E741 - the four columns
# These two send nothing with the headers, so a reset right behind them looks like one in their place.
NO_OPENING = {G: K.CONNECT, O: K.CONNECT}
NOTHING_AT_ALL = {G: K.EMPTY, O: K.EMPTY}

ROWS: list[Row] = [
    *_ending(1, Ending.DROP, K.CONNECT, None),
    *_ending(1, Ending.REFUSE, K.CONNECT, None),
    *_ending(3, Ending.HANG, K.FIRST_TOKEN_TIMEOUT, None, impatient=True),
    *_ending(3, Ending.STALL, K.FIRST_TOKEN_TIMEOUT, K.STREAM_BROKEN, impatient=True),
    _http(4, K.OVERLOADED, ErrorKind.SERVER_ERROR),
    _http(4, K.OVERLOADED, ErrorKind.BAD_GATEWAY),
    _http(4, K.OVERLOADED, ErrorKind.UNAVAILABLE, retry_after_s=9.0),
    _http(4, K.OVERLOADED, ErrorKind.GATEWAY_TIMEOUT),
    _http(4, K.OVERLOADED, ErrorKind.OVERLOADED, retry_after_s=9.0),
    *_in_band(4, K.OVERLOADED, ErrorKind.OVERLOADED),
    _http(5, K.RATE_LIMITED, ErrorKind.RATE_LIMIT, retry_after_s=9.0),
    *_in_band(5, K.RATE_LIMITED, ErrorKind.RATE_LIMIT, G, A, O),
    _http(6, K.QUOTA, ErrorKind.DAILY_QUOTA, G, C),
    _http(6, K.QUOTA, ErrorKind.ZERO_QUOTA, G),
    _http(6, K.QUOTA, ErrorKind.SPEND_LIMIT, A),
    *_in_band(6, K.QUOTA, ErrorKind.DAILY_QUOTA, G),
    _http(7, K.BILLING, ErrorKind.BILLING, *KEYED),
    _http(7, K.BILLING, ErrorKind.CREDIT_LOW, A),
    _http(8, K.BAD_KEY, ErrorKind.BAD_KEY),
    *_in_band(8, K.BAD_KEY, ErrorKind.BAD_KEY, *KEYED),
    _http(9, K.FORBIDDEN, ErrorKind.FORBIDDEN),
    _http(9, K.FORBIDDEN, ErrorKind.REGION, G, A),
    _http(10, K.MODEL_GONE, ErrorKind.NOT_FOUND),
    *_in_band(10, K.MODEL_GONE, ErrorKind.NOT_FOUND, G, A, C, O),
    _http(11, K.BAD_REQUEST, ErrorKind.BAD_REQUEST),
    *_in_band(11, K.BAD_REQUEST, ErrorKind.BAD_REQUEST, G, A),
    _http(12, K.TOO_LONG, ErrorKind.TOO_LONG),
    _http(12, K.TOO_LONG, ErrorKind.TOO_LARGE, A),
    *_in_band(12, K.TOO_LONG, ErrorKind.TOO_LONG),
    *_finish(13, K.BLOCKED, Finish.SAFETY, G, A),
    *_finish(13, K.BLOCKED, Finish.PROMPT_BLOCKED, G),
    *_finish(14, K.EMPTY, Finish.RECITATION, G),
    Row(number=14, kind=K.EMPTY, behaviour=Behaviour(text="")),
    Row(number=14, kind=K.EMPTY, behaviour=Behaviour(text=(" ", "\n\n"))),
    *_ending(14, Ending.BAD_CHUNK, K.EMPTY, K.STREAM_BROKEN),
    *_ending(15, Ending.CUT, K.STREAM_BROKEN, K.STREAM_BROKEN),
    *_ending(15, Ending.CUT_IN_CHARACTER, K.STREAM_BROKEN, K.STREAM_BROKEN),
    *_ending(15, Ending.RESET, K.STREAM_BROKEN, K.STREAM_BROKEN, special=NO_OPENING),
    *_ending(15, Ending.CLEAN_END, K.STREAM_BROKEN, K.STREAM_BROKEN, special=NOTHING_AT_ALL),
    _http(19, K.CANCELLED, ErrorKind.CANCELLED),
    *_in_band(19, K.CANCELLED, ErrorKind.CANCELLED, G),
    _http(21, K.OVERLOADED, ErrorKind.OUT_OF_MEMORY, O),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def adapters(vendor_server: FakeVendors) -> AsyncIterator[Mapping[tuple[Vendor, bool], Provider]]:
    """Every adapter twice: with a long socket timeout, and with a short one for the silent vendors."""
    made = {
        (vendor, impatient): adapter(
            vendor, vendor_server.url(vendor), timeout_s=IMPATIENT_S if impatient else PATIENT_S
        )
        for vendor in Vendor
        for impatient in (False, True)
    }
    yield made
    for provider in made.values():
        await provider.close()


@pytest.mark.parametrize(
    ("row", "vendor"), [pytest.param(row, v, id=f"{v.value}-{row}") for row in ROWS for v in row.vendors]
)
async def test_a_failure_on_the_wire_becomes_the_kind_of_its_row(
    row: Row, vendor: Vendor, vendors: FakeVendors, adapters: Mapping[tuple[Vendor, bool], Provider]
) -> None:
    vendors.script(vendor, row.behaviour)
    reply = await read(adapters[vendor, row.impatient])
    assert reply.error is not None
    assert reply.error.kind is row.kind_for(vendor)
    assert reply.text == ("".join(CHUNKS[:2]) if row.after else "")
    assert vendors.count(vendor) == 1, "an adapter asks once"
    http_error = row.behaviour.error is not None and row.behaviour.ending is Ending.COMPLETE
    assert (reply.error.status is not None) == http_error
    if row.retry_after_s is not None:
        assert reply.error.retry_after_s == row.retry_after_s


@pytest.mark.parametrize("body", ["<html>Sign in to the hotel network</html>", '{"hello": 1}', "[1, 2]", "null", ""])
@pytest.mark.parametrize("vendor", Vendor)
async def test_a_200_that_is_not_the_protocol_is_an_empty_reply(
    vendor: Vendor, body: str, vendors: FakeVendors, adapters: Mapping[tuple[Vendor, bool], Provider]
) -> None:
    vendors.script(vendor, Behaviour(raw_body=body))
    reply = await read(adapters[vendor, False])
    assert reply.error is not None
    assert reply.error.kind is K.EMPTY


@pytest.mark.parametrize("vendor", Vendor)
async def test_a_reply_cut_by_its_token_limit_is_complete(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[tuple[Vendor, bool], Provider]
) -> None:
    vendors.script(vendor, Behaviour(text=CHUNKS, finish=Finish.MAX_TOKENS))
    reply = await read(adapters[vendor, False])
    assert reply.finished is not None
    assert reply.finished.reason is FinishReason.LENGTH
    assert reply.text == "".join(CHUNKS)


@pytest.mark.parametrize("vendor", Vendor)
async def test_a_refused_connection_is_a_failure_to_connect(vendor: Vendor) -> None:
    provider = adapter(vendor, unused_url())
    reply = await read(provider)
    await provider.close()
    assert reply.error is not None
    assert reply.error.kind is K.CONNECT


@pytest.mark.parametrize("vendor", KEYED)
async def test_a_fault_of_our_own_is_unknown_and_keeps_its_cause(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[tuple[Vendor, bool], Provider]
) -> None:
    reply = await read(adapters[vendor, False], key="no-such-key")
    assert reply.error is not None
    assert reply.error.kind is K.UNKNOWN
    assert isinstance(reply.error.__cause__, KeyError)
    assert vendors.count(vendor) == 0


@pytest.mark.parametrize("vendor", Vendor)
async def test_cancellation_is_no_failure(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[tuple[Vendor, bool], Provider]
) -> None:
    vendors.script(vendor, Behaviour(ending=Ending.HANG))
    provider = adapters[vendor, False]
    task = asyncio.ensure_future(read(provider, PROMPT))
    while not vendors.count(vendor):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
