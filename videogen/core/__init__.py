"""Configuration, errors, time, text and security; imports nothing of ours."""
