"""Every event class, found by itself, to MessagePack, a dict and Arrow rows and back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import onetape.model.account
import onetape.model.orders  # noqa: F401
from onetape.model.arrow import RAW_LIMIT, from_record_batch, raw_array, raw_values, to_record_batch
from onetape.model.codec import (
    CODEC_VERSION,
    decode,
    encode,
    enum_type,
    event_types,
    find_instrument,
    from_dict,
    iso_time,
    to_dict,
)
from onetape.model.enums import BookFlag, InstrumentKind, OptionRight, Side
from onetape.model.errors import DecodeError, NumberError, TapeError, UnknownInstrumentError
from onetape.model.event import Event
from onetape.model.instrument import Instrument
from onetape.model.market import BookDelta, BookSnapshot, FundingRate, Quote, Trade
from onetape.model.numbers import INT64_MAX, NO_PRICE

BTC = Instrument("BTC-USDT.BINANCE", tick_size="0.01", lot_size="0.00001")
FUTURE = Instrument(
    "BTC-USD-261225.BYBIT",
    InstrumentKind.FUTURE,
    inverse=True,
    tick_size="0.5",
    lot_size="1",
    expiry=1_798_185_600 * 10**9,
    version=3,
)
OPTION = Instrument(
    "BTC-USD-261225-100000-C.DERIBIT",
    InstrumentKind.OPTION,
    tick_size="0.0005",
    lot_size="0.1",
    strike="100000",
    option_right=OptionRight.CALL,
)
BY_ID = {instrument.id: instrument for instrument in (BTC, FUTURE, OPTION)}

instruments = st.sampled_from([BTC, FUTURE, OPTION])
int64 = st.integers(-INT64_MAX, INT64_MAX)
raw = st.integers(1 - RAW_LIMIT, RAW_LIMIT - 1)
levels = st.lists(st.tuples(raw, raw), max_size=5).map(tuple)


def values_of(kind: str) -> st.SearchStrategy[Any]:
    simple: dict[str, st.SearchStrategy[Any]] = {
        "instrument": instruments,
        "definition": instruments,
        "price": raw,
        "price?": st.one_of(raw, st.just(NO_PRICE)),
        "size": raw,
        "amount": st.one_of(int64, st.integers(1 - 10**76, 10**76 - 1)),
        "int": int64,
        "time": int64,
        "text": st.text(),
        "bool": st.booleans(),
        "levels": levels,
    }
    return simple[kind] if kind in simple else st.sampled_from(list(enum_type(kind)))


def events_of(cls: type[Event]) -> st.SearchStrategy[Event]:
    fields = {name: values_of(kind) for name, kind in cls.FIELDS.items()}
    return st.builds(cls, **fields, ts_event=int64, ts_recv=int64, seq=int64)


TYPES = sorted(event_types().values(), key=lambda cls: cls.__name__)


def test_registry_has_the_market_the_order_and_the_account_events() -> None:
    assert {"Trade", "Quote", "BookSnapshot", "BookDelta", "Bar", "SessionMark", "Timer"} <= set(event_types())
    assert {"ExecutionReport", "Fill", "PositionUpdate", "BalanceUpdate"} <= set(event_types())


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=40)
def test_round_trip(cls: type[Event], data: st.DataObject) -> None:
    event = data.draw(events_of(cls))
    packed = encode(event)
    assert decode(packed, BY_ID) == event
    assert encode(decode(packed, BY_ID)) == packed
    assert decode(packed, lambda i, v: find_instrument(BY_ID, i, v)) == event

    shown = to_dict(event)
    assert from_dict(json.loads(json.dumps(shown)), BY_ID) == event
    assert to_dict(from_dict(shown, BY_ID)) == shown

    instrument = getattr(event, "instrument", None)
    more = data.draw(st.lists(events_of(cls), max_size=4))
    if "instrument" in cls.FIELDS.values():
        more = [other for other in more if other.instrument == instrument]  # type: ignore[attr-defined]
    rows = [event, *more]
    batch = to_record_batch(rows)
    assert from_record_batch(batch, BY_ID) == rows
    assert to_record_batch(from_record_batch(batch, BY_ID)).equals(batch, check_metadata=True)


@given(st.lists(st.one_of(events_of(BookDelta), events_of(BookSnapshot)), min_size=1, max_size=6))
def test_book_updates_and_snapshots_mix_in_rows(events: list[Any]) -> None:
    events = [event for event in events if event.instrument == events[0].instrument]
    batch = to_record_batch(events)
    assert from_record_batch(batch, BY_ID) == events
    assert batch.num_rows == sum(max(1, len(event.bids) + len(event.asks)) for event in events)


def test_book_rows_carry_the_flags_that_columns_document() -> None:
    snapshot = BookSnapshot(BTC, ((2, 5),), ((3, 5), (4, 5)), 7)
    empty = BookDelta(BTC, (), (), 8, 9, 7)
    batch = to_record_batch([snapshot, empty])
    whole = BookFlag.SNAPSHOT
    assert batch.column("flags").to_pylist() == [
        whole | BookFlag.CLEAR,
        whole,
        whole | BookFlag.LAST,
        BookFlag.LAST,
    ]
    assert batch.column("side").to_pylist() == [1, 2, 2, 0]
    assert batch.column("previous_sequence").to_pylist() == [-1, -1, -1, 7]


def test_a_book_update_without_its_last_row_is_an_error() -> None:
    batch = to_record_batch([BookDelta(BTC, ((1, 1), (2, 2)), ())])
    with pytest.raises(DecodeError, match="last"):
        from_record_batch(batch.slice(0, 1), BY_ID)


def test_prices_are_decimals_for_everyone_and_their_own_memory_for_us() -> None:
    batch = to_record_batch([Trade(BTC, 6_165_970, 5, Side.BUY, "1"), Trade(BTC, 6_165_971, 6)])
    price = batch.column("price")
    assert price.type == pa.decimal64(18, 2)
    assert [str(value) for value in price.to_pylist()] == ["61659.70", "61659.71"]
    view = raw_values(price)
    assert view.tolist() == [6_165_970, 6_165_971]
    assert view.__array_interface__["data"][0] == price.buffers()[1].address
    source = np.array([1, 2, 3], np.int64)
    assert raw_array(source, pa.int64()).buffers()[1].address == source.__array_interface__["data"][0]
    assert raw_values(raw_array(source, pa.int64()).slice(1)).tolist() == [2, 3]


def test_to_dict_is_for_people() -> None:
    trade = Trade(BTC, 6_165_970, 150_000, Side.SELL, "77", ts_event=1_700_000_000_000_000_001)
    shown = to_dict(trade)
    assert shown["type"] == "Trade"
    assert shown["instrument"] == "BTC-USDT.BINANCE"
    assert shown["price"] == "61659.70"
    assert shown["size"] == "1.50000"
    assert shown["side"] == "SELL"
    assert shown["ts_event_iso"] == "2023-11-14T22:13:20.000000001Z"
    assert iso_time(0) == "1970-01-01T00:00:00Z"


def test_amounts_beyond_38_digits_get_wider_rows_and_beyond_76_an_error() -> None:
    assert to_record_batch([FundingRate(BTC, 5)]).schema.field("rate").type == pa.decimal128(38, 18)
    assert to_record_batch([FundingRate(BTC, -(10**60))]).schema.field("rate").type == pa.decimal256(76, 18)
    with pytest.raises(NumberError, match="76"):
        to_record_batch([FundingRate(BTC, 10**76)])
    assert decode(encode(FundingRate(BTC, 10**90)), BY_ID) == FundingRate(BTC, 10**90)


def test_numbers_that_a_tape_does_not_hold_are_refused() -> None:
    for wrong in (RAW_LIMIT, -RAW_LIMIT, NO_PRICE):
        with pytest.raises(NumberError):
            to_record_batch([Quote(BTC, wrong, 1, 1, 1)])
    with pytest.raises(NumberError):
        to_record_batch([BookDelta(BTC, ((1, RAW_LIMIT),), ())])


def test_rows_of_two_versions_or_classes_do_not_mix() -> None:
    with pytest.raises(TapeError, match="version 1"):
        to_record_batch([Trade(BTC, 1, 1), Trade(BTC.replace(tick_size="0.1"), 1, 1)])
    with pytest.raises(TapeError, match="Quote among Trade"):
        to_record_batch([Trade(BTC, 1, 1), Quote(BTC, 1, 1, 1, 1)])


def test_an_instrument_that_is_not_known_or_of_another_version_is_named() -> None:
    packed = encode(Trade(BTC, 1, 1))
    with pytest.raises(UnknownInstrumentError, match=r"BTC-USDT\.BINANCE"):
        decode(packed, {})
    with pytest.raises(UnknownInstrumentError, match="version 0"):
        decode(packed, {BTC.id: BTC.replace(tick_size="0.1")})
    with pytest.raises(UnknownInstrumentError, match=r"BTC-USDT\.BINANCE"):
        from_dict(to_dict(Trade(BTC, 1, 1)), {})


def test_newer_and_unknown_events_are_clear_errors() -> None:
    with pytest.raises(TapeError, match=f"version {CODEC_VERSION + 1}"):
        decode(msgspec.msgpack.encode(["Trade", CODEC_VERSION + 1, 0, 0, 0]), BY_ID)
    with pytest.raises(TapeError, match="'Teleport'"):
        decode(msgspec.msgpack.encode(["Teleport", 1, 0, 0, 0]), BY_ID)
    batch = to_record_batch([Trade(BTC, 1, 1)])
    newer = {**batch.schema.metadata, b"onetape.codec": b"99"}
    with pytest.raises(TapeError, match="newer"):
        from_record_batch(batch.replace_schema_metadata(newer), BY_ID)


@given(st.binary(max_size=60))
def test_any_bytes_decode_or_are_a_clear_error(data: bytes) -> None:
    with pytest.raises((DecodeError, TapeError)):
        decode(data, BY_ID)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=25)
def test_one_wrong_field_is_named_and_never_a_crash(cls: type[Event], data: st.DataObject) -> None:
    values = msgspec.msgpack.decode(encode(data.draw(events_of(cls))))
    place = data.draw(st.integers(2, len(values) - 1))
    values[place] = data.draw(json_values)
    try:
        assert isinstance(decode(msgspec.msgpack.encode(values), BY_ID), cls)
    except DecodeError as error:
        assert f"$[{place}]" in str(error)
        assert cls.__name__ in str(error)
    except UnknownInstrumentError:
        pass
