"""Delivers committed events to open streams; knows no HTTP."""
