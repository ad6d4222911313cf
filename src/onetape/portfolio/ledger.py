"""Double-entry ledger in exact integers: every transfer takes from one account what it gives to another.

In each currency the accounts sum to zero at all times. Accounts: ``cash`` (ours at the venue), ``opening`` (what
we began with), ``market`` (what trades exchanged), ``pnl`` (settled profit of derivatives), ``fees``.
"""

from __future__ import annotations

from collections.abc import Iterator

from onetape.model.numbers import format_money


class Account:
    """One account in one currency; ``amount`` is money at 18 decimals."""

    __slots__ = ("amount", "currency", "name")

    name: str
    currency: str
    amount: int

    def __init__(self, name: str, currency: str) -> None:
        self.name = name
        self.currency = currency
        self.amount = 0

    def __repr__(self) -> str:
        return f"Account({self.name}, {format_money(self.amount)} {self.currency})"


class Ledger:
    __slots__ = ("_accounts", "transfers")

    transfers: int
    _accounts: dict[tuple[str, str], Account]

    def __init__(self) -> None:
        self._accounts = {}
        self.transfers = 0

    def account(self, name: str, currency: str) -> Account:
        account = self._accounts.get((name, currency))
        if account is None:
            account = self._accounts[(name, currency)] = Account(name, currency)
        return account

    def transfer(self, source: Account, target: Account, amount: int) -> None:
        """Move ``amount`` (of any sign) from ``source`` to ``target``; both must be in the same currency."""
        if source.currency != target.currency:
            raise ValueError(f"can't move {source.currency} to an account in {target.currency}")
        source.amount -= amount
        target.amount += amount
        self.transfers += 1

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def sums(self) -> dict[str, int]:
        """Sum over all accounts of each currency: zeros, unless this module is wrong."""
        totals: dict[str, int] = {}
        for account in self._accounts.values():
            totals[account.currency] = totals.get(account.currency, 0) + account.amount
        return totals

    def balances(self, name: str = "cash") -> dict[str, int]:
        """Amount of one account by currency."""
        return {account.currency: account.amount for account in self._accounts.values() if account.name == name}
