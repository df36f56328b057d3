"""Real process trees for the tests: programs that tell their pid and live until they are told to end."""

import subprocess
import sys

# Each word on stdin is answered by one line. When its stdin ends, a node ends, and so does all that is below it.
_NODE = r"""
import os, subprocess, sys
print(os.getpid(), flush=True)
child = None
def start(argv):
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for line in sys.stdin:
    line = line.rstrip("\n")
    if line == "fork":
        child = start([sys.executable, "-S", "-E", "-c", sys.argv[1], sys.argv[1]])
    elif line.startswith("shell "):
        child = start(["/bin/sh", "-c", line[6:]])
    else:
        child.stdin.write(line[5:] + "\n")
        child.stdin.flush()
    print(child.stdout.readline().strip(), flush=True)
"""

CLIENT = f"{sys.executable} -S -E -c 'import os, sys; print(os.getpid(), flush=True); sys.stdin.read()'"
"""A shell command that stands for the hook client: prints its pid, lives until its stdin ends."""


class Tree:
    """A chain of real processes: ``pids[0]`` is the top, a child of this test; each is the parent of the next."""

    def __init__(self, depth=1):
        self._top = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _NODE, _NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pids = [int(self._top.stdout.readline())]
        for _ in range(depth - 1):
            self.pids.append(int(self._say("fork")))

    def shell(self, text):
        """Run ``sh -c text`` below the last process; ``text`` must print one line first, which is returned."""
        return self._say("shell " + text)

    def _say(self, words):
        self._top.stdin.write("down " * (len(self.pids) - 1) + words + "\n")
        self._top.stdin.flush()
        return self._top.stdout.readline().strip()

    def kill(self):
        """Kill the top. What is below loses its standard input and ends by itself."""
        self._top.kill()
        self._top.wait()

    def close(self):
        self.kill()
        self._top.stdin.close()
        self._top.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
