"""The read-only questions: involved, touched, cause, blast, replay, why, and what could not be seen."""
