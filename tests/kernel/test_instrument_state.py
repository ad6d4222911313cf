"""The row of what is known of an instrument, through changes of its version."""

from __future__ import annotations

import pytest

from onetape.kernel.state import StateTable
from onetape.model.errors import ConfigurationError
from onetape.model.instrument import Instrument

FIRST = Instrument("BTC-USDT.STATE", tick_size="0.01", lot_size="0.001")


def priced() -> tuple[StateTable, object]:
    states = StateTable()
    state = states.add(FIRST)
    state.bid_raw, state.ask_raw, state.bid_size_raw, state.ask_size_raw, state.ts = 99, 102, 1, 1, 5
    return states, state


def test_mark_is_the_mid_else_the_last_trade() -> None:
    states = StateTable()
    state = states.add(FIRST)
    assert (state.priced, state.twice_mark_raw()) == (False, 0)
    state.last_raw, state.ts_last = 100, 1
    assert (state.priced, state.twice_mark_raw()) == (True, 200)
    state.bid_raw, state.bid_size_raw = 99, 1
    assert state.twice_mark_raw() == 200
    state.ask_raw, state.ask_size_raw = 102, 1
    assert state.twice_mark_raw() == 201


def test_a_new_version_keeps_what_is_known_and_an_old_one_changes_nothing() -> None:
    states, state = priced()
    second = FIRST.replace(tick_size="0.05")
    assert states.add(second) is state
    assert (state.instrument, state.twice_mark_raw()) == (second, 201)  # type: ignore[attr-defined]
    states.add(FIRST)
    assert state.instrument is second  # type: ignore[attr-defined]


def test_with_other_decimals_prices_are_forgotten() -> None:
    states, state = priced()
    finer = FIRST.replace(tick_size="0.0001")
    states.add(finer)
    assert state.instrument is finer  # type: ignore[attr-defined]
    assert not state.priced  # type: ignore[attr-defined]


@pytest.mark.parametrize("held", ["position_raw", "open_buy_raw", "open_sell_raw"])
def test_decimals_do_not_change_under_an_open_position_or_order(held: str) -> None:
    states, state = priced()
    setattr(state, held, 1)
    with pytest.raises(ConfigurationError, match="other decimals than version 0"):
        states.add(FIRST.replace(lot_size="0.00001"))


def test_table() -> None:
    states, state = priced()
    assert states.get(FIRST.index) is state
    assert states.get(-1) is states.get(10**6) is None
    assert list(states) == [state]
