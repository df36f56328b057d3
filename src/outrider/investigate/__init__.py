"""The read-only questions: involved, touched, cause, blast, replay, why."""
