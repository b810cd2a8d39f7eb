"""`videogen doctor`: looks at everything that is kept, names each fault and its repair, and repairs what is safe."""

from videogen.doctor.diagnosis import Diagnosis, diagnose
from videogen.doctor.findings import Finding, Level

__all__ = ["Diagnosis", "Finding", "Level", "diagnose"]
