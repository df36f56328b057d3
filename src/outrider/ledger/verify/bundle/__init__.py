"""An independent check of sealed bundles. Shares nothing with what writes them.

The modules here import each other, the standard library and ``cryptography``, and nothing else of ours, so that they
can be put together into the one file ``verify.py`` that every bundle carries.
"""

from __future__ import annotations

from outrider.ledger.verify.bundle.archive import BundleError
from outrider.ledger.verify.bundle.checklist import Report
from outrider.ledger.verify.bundle.notes import Policy, WrongError, parse_policy
from outrider.ledger.verify.bundle.telling import lines, verify

__all__ = ["BundleError", "Policy", "Report", "WrongError", "lines", "parse_policy", "verify"]
