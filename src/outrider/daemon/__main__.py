"""``python -m outrider.daemon``: the daemon in the foreground. Its home is its argument, else the user's own."""

import logging
import sys
from pathlib import Path

from outrider.config import Home
from outrider.daemon.service import serve
from outrider.errors import OutriderError, UnavailableError


def main() -> None:
    """Serve the home named by the first argument; what keeps us from it is told on stderr and in the log."""
    home = Home(Path(sys.argv[1])) if len(sys.argv) > 1 else Home.default()
    try:
        home.make()
        serve(home)
    except OutriderError as error:
        fail(error)
    except OSError as error:
        why = f"the daemon cannot use its home {home.root}: {error.strerror or error}"
        fail(UnavailableError(why, fix="See to its permissions and to the room on its disk, or run `outrider doctor`."))


def fail(error: OutriderError) -> None:
    """End with the error's own status."""
    logging.getLogger("outrider.daemon").error("%s", error)
    sys.stderr.write(f"outrider: {error.diagnostics()}\n")
    sys.exit(error.exit_code)


main()
