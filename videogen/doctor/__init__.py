"""`videogen doctor`: checks all stored data, reports each fault with its repair, and does the safe repairs."""

from videogen.doctor.diagnosis import Diagnosis, diagnose
from videogen.doctor.findings import Finding, Level

__all__ = ["Diagnosis", "Finding", "Level", "diagnose"]
