"""The detectors there are."""

from __future__ import annotations

from outrider.detect.content import content
from outrider.detect.contract import Detector
from outrider.detect.secrets import secrets

DETECTORS: dict[str, Detector] = {
    "secrets": secrets,
    "content": content,
}
"""Name of a detector to its function. The part of a rule id before its first dot is ``secret`` or ``content``."""
