"""Whom to ask about the agents of a host: named in the configuration file, for people and for what refusals say."""

from __future__ import annotations

import re
from typing import Final

import msgspec

MAX_CONTACT: Final = 200
"""Most characters of each part."""

_EMAIL: Final = re.compile(r"[^\s@<>]+@[^\s@<>]+")


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Whom to ask, where the charter of an agent names nobody.

    Attributes:
        name: A person or a team.
        email: Where they are written to.
        url: Where they are found: a page, a chat, a form.
    """

    name: str = ""
    email: str = ""
    url: str = ""

    @property
    def words(self) -> str:
        """It in one line, or nothing."""
        address = f"<{self.email}>" if self.email and self.name else self.email
        return " ".join(one for one in (self.name, address, self.url) if one)

    def wrong(self) -> list[tuple[str, object, str]]:
        """Return the place, the value and what is wrong with it, for each part that makes no sense."""
        found: list[tuple[str, object, str]] = [
            (f"contact.{part}", value, f"is not one line of at most {MAX_CONTACT} characters")
            for part, value in (("name", self.name), ("email", self.email), ("url", self.url))
            if len(value) > MAX_CONTACT or not value.isprintable()
        ]
        if self.email and not _EMAIL.fullmatch(self.email):
            found.append(("contact.email", self.email, "is not an e-mail address"))
        if self.url and not self.url.startswith(("https://", "http://")):
            found.append(("contact.url", self.url, "is not a URL, such as https://shipyard.example/security"))
        return found
