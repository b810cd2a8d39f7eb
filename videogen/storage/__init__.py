"""Bytes by key, behind one protocol."""
