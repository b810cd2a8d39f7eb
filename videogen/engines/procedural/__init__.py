"""Procedural scenes, drawn by numpy alone."""
