"""Binance: spot, USD-M and COIN-M futures, and Binance.US."""
