"""Which charter a repository has, as the configuration file says now: ``init`` counts without a restart."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from outrider.config import load_config
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.config import Config, Home, Mode

log = logging.getLogger("outrider.daemon")


class Repositories:
    """Follows the configuration file. One that does not make sense leaves the last good one in force."""

    def __init__(self, home: Home, config: Config) -> None:
        """Start from a configuration that was read."""
        self._home = home
        self._config = config
        self._seen: tuple[int, int, int] | None = None

    def __call__(self, path: str) -> tuple[str, Mode] | None:
        """Return the charter and mode of the repository that ``path`` is or lies in."""
        self._follow()
        return self._config.charter_for(path)

    def contact(self) -> str:
        """Return whom the configuration names to ask, in one line, or nothing."""
        self._follow()
        return self._config.contact.words

    def _follow(self) -> None:
        try:
            facts = self._home.config.stat()
            mark = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
        except OSError:
            mark = (0, 0, 0)
        if mark == self._seen:
            return
        self._seen = mark
        try:
            self._config = load_config(self._home)
        except BadInputError as error:
            log.warning("the configuration as it was stays in force: %s", error)
