"""Instruments: what can be made, how prices fall on the grid, what a size is worth, and new versions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.model.enums import InstrumentKind, Side
from onetape.model.errors import ConfigurationError, NumberError, OffGridError
from onetape.model.ids import instrument_index, split_id
from onetape.model.instrument import Instrument
from onetape.model.numbers import RAW_MAX, money

SPOT = Instrument("BTC-USDT.MODEL", tick_size="0.05", lot_size="0.001")
INVERSE = Instrument(
    "BTC-USD-PERP.MODEL", InstrumentKind.PERPETUAL, inverse=True, multiplier=100, tick_size="0.1", lot_size=1
)


@pytest.mark.parametrize(
    ("instrument_id", "base", "quote"),
    [
        ("BTC-USDT.BINANCE", "BTC", "USDT"),
        ("BTC-USDT-PERP.OKX", "BTC", "USDT"),
        ("BTC-USDT-261225.BYBIT", "BTC", "USDT"),
        ("BTC-USD-261225-100000-C.DERIBIT", "BTC", "USD"),
        ("AAPL.NASDAQ", "AAPL", "USD"),
        ("BRK.B.NYSE", "BRK.B", "USD"),
    ],
)
def test_ids(instrument_id: str, base: str, quote: str) -> None:
    instrument = Instrument(instrument_id)
    assert (instrument.base, instrument.quote, instrument.settle) == (base, quote, quote)
    assert instrument.venue == instrument_id.rpartition(".")[2]
    assert instrument.index == instrument_index(instrument_id) == Instrument(instrument_id).index


@pytest.mark.parametrize("text", ["", "BTC", ".BINANCE", "BTC.", "BTC/USDT.BINANCE", "BTC USDT.X", "A\\B.X", "A\0.X"])
def test_what_is_not_an_id(text: str) -> None:
    with pytest.raises(ConfigurationError, match="write NAME.VENUE"):
        split_id(text)


BAD = [
    ({"tick_size": "abc"}, "tick_size 'abc' is not a step"),
    ({"tick_size": "NaN"}, "is not a step"),
    ({"tick_size": 0}, "is not a step"),
    ({"tick_size": "-0.01"}, "is not a step"),
    ({"lot_size": "0"}, "lot_size '0' is not a step"),
    ({"tick_size": "0.001", "price_precision": 2}, "more decimals than price_precision 2"),
    ({"tick_size": "1e-19"}, "at most 18 decimals"),
    ({"price_precision": 19}, "at most 18 decimals"),
    ({"min_qty": 2, "max_qty": 1}, "a maximum that is not below the minimum"),
    ({"min_qty": -1}, "write 0 for none"),
    ({"multiplier": 0}, "must add up to 18"),
    ({"multiplier": "1e-17"}, "must add up to 18"),
    ({"tick_size": "1e-10", "lot_size": "1e-9"}, "must add up to 18"),
]


@pytest.mark.parametrize(("terms", "why"), BAD)
def test_terms_that_cannot_be(terms: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        Instrument("A.B", **terms)  # type: ignore[arg-type]
    assert str(caught.value).startswith("A.B: ")


def test_steps_may_be_numbers() -> None:
    assert Instrument("A.B", tick_size=0.01, lot_size=Decimal("0.10")).tick_raw == 1
    assert Instrument("A.B", tick_size=25, lot_size="1e1").lot_raw == 10


@pytest.mark.parametrize(
    ("price", "nearest"),
    [
        ("100.03", "100.00 and 100.05"),
        (100.03, "100.00 and 100.05"),
        ("-0.01", "-0.05 and 0.00"),
        ("-37.63", "-37.65 and -37.60"),
        (Decimal("0.0000001"), "0.00 and 0.05"),
        (Decimal("1e-999999"), "0.00 and 0.05"),
    ],
)
def test_off_grid_prices_name_the_nearest_two(price: object, nearest: str) -> None:
    with pytest.raises(OffGridError, match=f"BTC-USDT.MODEL: price .* off the grid of 0.05; the nearest are {nearest}"):
        SPOT.price_raw(price)  # type: ignore[arg-type]


@given(st.decimals(-(10**6), 10**6, places=4))
def test_off_grid_messages_name_real_neighbours(price: Decimal) -> None:
    try:
        raw = SPOT.price_raw(price)
    except OffGridError as error:
        below, above = (Decimal(word) for word in str(error).split("nearest are ")[1].split(" and "))
        assert below < price < above
        assert above - below == Decimal("0.05")
        assert below % Decimal("0.05") == 0
    else:
        assert Decimal(raw) == price * 100


def test_off_grid_sizes() -> None:
    with pytest.raises(OffGridError, match=r"size 0.0015 is off the grid of 0.001; the nearest are 0.001 and 0.002"):
        SPOT.qty_raw("0.0015")


@pytest.mark.parametrize(
    ("price", "side", "expected"),
    [
        ("100.03", Side.BUY, "100.00"),
        ("100.03", Side.SELL, "100.05"),
        ("100.03", Side.NONE, "100.05"),
        ("100.025", Side.NONE, "100.00"),  # half to even steps
        ("100.075", Side.NONE, "100.10"),
        ("-0.01", Side.BUY, "-0.05"),
        ("-0.01", Side.SELL, "0.00"),
        (100.05, Side.BUY, "100.05"),
    ],
)
def test_round_price(price: object, side: Side, expected: str) -> None:
    assert SPOT.round_price(price, side) == Decimal(expected)  # type: ignore[arg-type]


@given(st.decimals(-(10**9), 10**9, allow_nan=False), st.sampled_from(list(Side)))
def test_rounded_prices_are_on_the_grid_and_never_more_aggressive(price: Decimal, side: Side) -> None:
    rounded = SPOT.round_price(price, side)
    SPOT.price_raw(rounded)
    assert abs(rounded - price) <= Decimal("0.05")
    if side is Side.BUY:
        assert rounded <= price
    elif side is Side.SELL:
        assert rounded >= price


def test_round_size_never_rounds_up() -> None:
    assert SPOT.round_size("1.2349") == Decimal("1.234")
    assert SPOT.round_size("0.0009") == 0


@pytest.mark.parametrize("value", ["abc", "", " 1", float("nan"), Decimal("Infinity"), None, "1e999999999", "1e17"])
def test_what_cannot_be_rounded(value: object) -> None:
    with pytest.raises(NumberError, match="BTC-USDT.MODEL"):
        SPOT.round_price(value)  # type: ignore[arg-type]


@given(st.integers(-RAW_MAX, RAW_MAX), st.integers(-RAW_MAX, RAW_MAX))
def test_linear_notional_is_exact(price: int, qty: int) -> None:
    assert SPOT.notional(price, qty) == Fraction(price, 100) * Fraction(qty, 1000) * 10**18


@given(st.integers(1, RAW_MAX), st.integers(-RAW_MAX, RAW_MAX))
def test_inverse_notional_is_rounded_half_to_even(price: int, qty: int) -> None:
    assert INVERSE.notional(price, qty) == round(Fraction(qty * 100) / Fraction(price, 10) * 10**18)


@pytest.mark.parametrize("price", [0, -1])
def test_inverse_contracts_have_no_value_at_no_price(price: int) -> None:
    with pytest.raises(NumberError, match="no value at price"):
        INVERSE.notional(price, 1)


def test_a_new_version() -> None:
    second = SPOT.replace(taker_fee="0.0005")
    assert (second.version, second.taker_fee, second.index) == (1, money("0.0005"), SPOT.index)
    assert second != SPOT
    assert SPOT.version == 0
    assert Instrument(**SPOT.to_dict()) == SPOT


def test_a_finer_grid_adds_decimals_and_a_coarser_one_keeps_them() -> None:
    finer = SPOT.replace(tick_size="0.001", lot_size="0.00001")
    assert (finer.price_precision, finer.size_precision, finer.tick_raw) == (3, 5, 1)
    coarser = finer.replace(tick_size="0.5")
    assert (coarser.price_precision, coarser.tick_raw) == (3, 500)
    assert coarser.replace(price_precision=1).tick_raw == 5


def test_equal_hash_and_text() -> None:
    twin = Instrument("BTC-USDT.MODEL", tick_size="0.05", lot_size="0.001")
    assert twin == SPOT
    assert hash(twin) == hash(SPOT)
    assert SPOT != "BTC-USDT.MODEL"
    assert repr(SPOT) == "Instrument(BTC-USDT.MODEL, SPOT, tick 0.05, lot 0.001, version 0)"
