"""Sigma rules (sigmahq.io, specification 2) asked of recorded events: parsed by pySigma, matched here on single events.

``logsource`` is ``product: agent``; fields are the columns of :data:`outrider.investigate.exports.flat.COLUMNS`.
"""
