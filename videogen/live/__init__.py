"""Committed events to open readers; no HTTP."""
