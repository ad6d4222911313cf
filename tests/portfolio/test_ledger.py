"""The ledger alone: nothing appears, nothing vanishes, nothing is a float."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetape.portfolio.ledger import Ledger

names = st.sampled_from(["cash", "fees", "market", "pnl"])
moves = st.lists(st.tuples(names, names, st.sampled_from(["BTC", "USDT"]), st.integers(-(10**40), 10**40)))


@given(moves)
def test_every_currency_sums_to_zero_after_every_transfer(steps: list[tuple[str, str, str, int]]) -> None:
    ledger = Ledger()
    for source, target, currency, amount in steps:
        ledger.transfer(ledger.account(source, currency), ledger.account(target, currency), amount)
        assert set(ledger.sums().values()) == {0}
    assert ledger.transfers == len(steps)


def test_transfers_stay_within_a_currency() -> None:
    ledger = Ledger()
    with pytest.raises(ValueError, match="can't move BTC to an account in USDT"):
        ledger.transfer(ledger.account("cash", "BTC"), ledger.account("cash", "USDT"), 1)
    assert ledger.transfers == 0


def test_accounts_are_made_once() -> None:
    ledger = Ledger()
    cash = ledger.account("cash", "USDT")
    assert ledger.account("cash", "USDT") is cash
    ledger.transfer(ledger.account("opening", "USDT"), cash, 15 * 10**17)
    assert ledger.balances() == {"USDT": 15 * 10**17}
    assert ledger.balances("opening") == {"USDT": -15 * 10**17}
    assert repr(cash) == "Account(cash, 1.5 USDT)"
    assert [account.name for account in ledger] == ["cash", "opening"]
