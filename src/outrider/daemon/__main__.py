"""``python -m outrider.daemon``: the daemon in the foreground. Its home is its argument, else the user's own."""

import sys
from pathlib import Path

from outrider.config import Home
from outrider.daemon.service import serve
from outrider.errors import OutriderError


def main() -> None:
    """Serve the home named by the first argument."""
    home = Home(Path(sys.argv[1])) if len(sys.argv) > 1 else Home.default()
    try:
        home.make()
        serve(home)
    except OutriderError as error:
        sys.stderr.write(f"outrider: {error.diagnostics()}\n")
        sys.exit(error.exit_code)


main()
