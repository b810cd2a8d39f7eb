"""Plain values and tools of Python and pydantic; imports nothing of ours."""
