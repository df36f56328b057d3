"""What an agent's host starts for every hook event where there is no native client.

Run as ``python -I -S client.py --door ...``. Behaves as ``client.c`` does, byte for byte: see there for the rules of
trust. Imports only what the interpreter has built in, and ``_socket``: every further import costs a millisecond.
"""

import posix
import sys
import time
from _signal import (  # type: ignore[import-not-found]  # `signal` would import enum: three milliseconds
    ITIMER_REAL,
    SIG_DFL,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGALRM,
    SIGCHLD,
    getitimer,
    pthread_sigmask,
    setitimer,
    signal,
)
from _socket import AF_UNIX, SOCK_STREAM, socket
from posix import _exit

PAYLOAD_MAX = 32 << 20
OUTPUT_MAX = 1 << 20  # stdout and stderr of an answer, together
NAME_MAX = 64
SOCKET_MAX = 108 if sys.platform == "linux" else 104
ANSWER_HEAD = 4 + 16 + 1 + 4 + 4
DEADLINE = 2.0
DEADLINE_START = 4.0  # Where a daemon is being started: on a busy machine that takes seconds.
DEADLINE_END = 0.5  # SessionEnd: the host gives all its hooks 1.5 s together
NAP = 0.002  # Between two attempts to connect, at first: each is half as long again as the last, so that many
NAP_MAX = 0.025  # who wait do not keep the processor from what they wait for.

OPTIONS = ("--door", "--event", "--socket", "--spool", "--undecided", "--start")
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")

WHY = {
    "usage": "its hook was installed with arguments that it does not understand",
    "stdin": "what the host sent could not be read",
    "too-large": "what the host sent is larger than 32 MiB",
    "no-daemon": "its daemon is not running and could not be started",
    "connect": "its daemon's socket could not be opened",
    "deadline": "its daemon did not answer in time",
    "closed": "its daemon hung up without an answer",
    "malformed": "its daemon's answer was not a valid one",
    "output": "its answer could not be handed to the host",
    "random": "the system gave no random numbers",
    "fault": "its hook failed in a way that has no name",
}

_PRE = '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"%s","permissionDecisionReason":"'
_PERMISSION = '{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"deny","message":"'
# Event: text before and after the reason of a deny; its exit code (2 blocks even where the JSON is lost); what ask
# becomes: 1 an answer, 0 silence (the host asks by itself), -1 a deny. Events that are not here can not be stopped by
# their hook, or would be wrongly (a refused Stop keeps the agent running): they are answered with silence.
FORMS = {
    "PreToolUse": (_PRE % "deny", '"}}', 2, 1),
    "PermissionRequest": (_PERMISSION, '"}}}', 0, 0),
    "ConfigChange": ('{"decision":"block","reason":"', '"}', 2, -1),
}
# For a host that we do not know: the one deny that every known host obeys.
UNIVERSAL = ('{"decision":"block","permissionDecision":"deny","cancel":true,"reason":"', '"}', 2, -1)


class Undecided(Exception):  # noqa: N818 (it is no error of ours)
    """No answer could be had; its argument is why, one of :data:`WHY`."""


class Late(Exception):  # noqa: N818
    """The deadline has passed."""


class Hook:
    """One call. ``why`` is what it would be undecided for if the deadline passed now."""

    def __init__(self) -> None:
        self.option: dict[str, str] = {}
        self.why = "stdin"
        self.bytes = 0
        self.code: int | None = None

    def read_options(self, argv: list[str]) -> bool:
        """Take the options; False if any is unknown, doubled, missing or out of shape."""
        good = True
        for i in range(0, len(argv), 2):
            name = argv[i]
            if name not in OPTIONS or i + 1 >= len(argv) or name in self.option:
                good = False
            else:
                self.option[name] = argv[i + 1]
        option = self.option
        for name in ("--socket", "--spool", "--start"):
            if not option.get(name, "/" if name == "--start" else "").startswith("/"):
                good = False
        if len(option.get("--socket", "").encode("utf-8", "surrogateescape")) >= SOCKET_MAX:
            good = False
        for name in ("--door", "--event"):
            value = option.get(name, "")
            if not 0 < len(value) <= NAME_MAX or not PLAIN.issuperset(value):
                good = False
        return good

    def read_payload(self) -> list[bytes]:
        """Read stdin to its end. What is too large is read all the same, so that the host's write does not fail."""
        parts: list[bytes] = []
        while True:
            try:
                part = posix.read(0, 1 << 20)
            except OSError:
                raise Undecided("stdin") from None
            if not part:
                break
            self.bytes += len(part)
            if self.bytes > PAYLOAD_MAX:
                self.why = "too-large"
                parts = []
            else:
                parts.append(part)
        if self.bytes > PAYLOAD_MAX:
            raise Undecided("too-large")
        return parts

    def wait_longer(self) -> None:
        """Put the deadline off, as a daemon has to be started first."""
        if self.option.get("--event") != "SessionEnd":
            setitimer(ITIMER_REAL, DEADLINE_START - DEADLINE + getitimer(ITIMER_REAL)[0])

    def reach(self) -> socket:
        """Return a connection to the daemon, which is started once if nobody listens."""
        lock = -1
        held = started = False
        nap = NAP
        while True:
            self.why = "deadline"
            connection = socket(AF_UNIX, SOCK_STREAM)
            try:
                connection.connect(self.option["--socket"])
            except (FileNotFoundError, ConnectionRefusedError):
                self.why = "no-daemon"
            except OSError:
                raise Undecided("connect") from None
            else:
                if lock >= 0:
                    posix.close(lock)
                return connection
            connection.close()
            if "--start" not in self.option:
                raise Undecided("no-daemon")
            if lock < 0:
                self.wait_longer()
                lock = open_lock(self.option["--socket"])
            if held and not started:
                started = True
                launch(self.option["--start"])
            elif not held and take(lock):
                held = True  # somebody may have started it before we had the lock: dial once more
                continue
            time.sleep(nap)
            nap = nap * 1.5 if nap < NAP_MAX else nap

    def ask(self, parts: list[bytes]) -> tuple[int, bytes, bytes]:
        """Return exit code, stdout and stderr as the daemon says them."""
        try:
            nonce = posix.urandom(16)
        except OSError:
            raise Undecided("random") from None
        connection = self.reach()
        self.why = "deadline"
        door = self.option["--door"].encode()
        event = self.option["--event"].encode()
        head = b"ORQ1%b%c%b%c%b%b" % (nonce, len(door), door, len(event), event, self.bytes.to_bytes(4, "big"))
        try:  # noqa: SIM105 (contextlib would cost a millisecond)
            connection.sendall(head + b"".join(parts))
        except OSError:
            pass  # It hung up early; it may have left an answer.
        answer = b""
        try:
            while part := connection.recv(1 << 16):
                answer += part
                if len(answer) > ANSWER_HEAD + OUTPUT_MAX:
                    raise Undecided("malformed")
        except ConnectionResetError:
            pass  # An end too: only the frame says whether it is whole.
        except OSError:
            raise Undecided("malformed") from None
        return unframe(answer, nonce)

    def spool(self, why: str, answered: str) -> None:
        """Leave the one line that makes the gap show."""
        path = self.option.get("--spool", "")
        if not path.startswith("/"):
            return
        line = (
            f'{{"ts":{time.time_ns() // 1000},"door":"{tame(self.option.get("--door", ""))}"'
            f',"event":"{tame(self.option.get("--event", ""))}","answered":"{answered}","why":"{why}"'
            f',"ppid":{posix.getppid()},"bytes":{self.bytes}}}\n'
        )
        flags = posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_NOFOLLOW | posix.O_NONBLOCK
        try:  # noqa: SIM105
            posix.write(posix.open(path, flags, 0o600), line.encode())
        except OSError:
            pass  # Nobody is left to be told.

    def give_up(self, why: str) -> int:
        """Answer in the host's protocol without the daemon, and leave the spool line."""
        event = self.option.get("--event")
        answered = self.option.get("--undecided", "")
        if why == "usage" or answered not in ("ask", "allow"):
            answered = "deny"
        known = self.option.get("--door") == "claude_code" and event is not None
        form = FORMS.get(event or "") if known else UNIVERSAL
        if form is None:
            self.spool(why, "none")
            return 0
        before, after, code, asks = form
        if answered == "ask" and asks < 0:
            answered = "deny"
        self.spool(why, answered)
        reason = f"Outrider could not judge this: {WHY[why]}. "
        reason += "Run `outrider doctor` in a terminal of your own to see what to do."
        setitimer(ITIMER_REAL, 0.2)  # The deadline may be over, but the answer must still get out.
        if answered == "deny" and code:
            put(2, f"{reason}\n".encode())
        if answered == "deny" or (answered == "ask" and asks > 0):
            before = before if answered == "deny" else _PRE % "ask"
            if not put(1, f"{before}{reason}{after}".encode()):
                return 2
        return code if answered == "deny" else 0

    def attempt(self, argv: list[str]) -> None:
        """Have an answer and print it; ``code`` is set once that is done."""
        good = self.read_options(argv)
        signal(SIGALRM, late)
        pthread_sigmask(SIG_UNBLOCK, [SIGALRM])
        setitimer(ITIMER_REAL, DEADLINE_END if self.option.get("--event") == "SessionEnd" else DEADLINE)
        parts = self.read_payload()
        if not good:
            raise Undecided("usage")
        code, out, err = self.ask(parts)
        if not put(1, out) or not put(2, err):
            raise Undecided("output")
        self.code = code

    def run(self, argv: list[str]) -> int:
        """Do everything. Returns the exit code."""
        try:
            try:
                self.attempt(argv)
            except Undecided as undecided:
                self.why = str(undecided)
            except Exception as error:  # noqa: BLE001 (the outer edge: a hook never shows a traceback)
                if not isinstance(error, Late):
                    self.why = "fault"
            setitimer(ITIMER_REAL, 0)
        except Late:  # Between two of the lines above. The timer strikes once.
            pass
        return self.give_up(self.why) if self.code is None else self.code


def late(*_: object) -> None:
    """Handle SIGALRM: interrupts whatever the hook waits for."""
    raise Late


def tame(name: str) -> str:
    """Return a name that can not break the spool's line, whatever it was."""
    raw = name.encode("utf-8", "surrogateescape")[:NAME_MAX]
    return "".join(chr(byte) if chr(byte) in PLAIN else "?" for byte in raw)


def put(fd: int, data: bytes) -> bool:
    """Write all of it, or return False: nobody reads, or nobody reads in time."""
    try:
        while data:
            data = data[posix.write(fd, data) :]
    except (OSError, Late):
        return False
    return True


def unframe(answer: bytes, nonce: bytes) -> tuple[int, bytes, bytes]:
    """Return exit code, stdout and stderr of a framed answer; Undecided if it is anything else."""
    if not answer:
        raise Undecided("closed")
    if len(answer) < ANSWER_HEAD or answer[:4] != b"ORA1" or answer[4:20] != nonce:
        raise Undecided("malformed")
    middle = 25 + int.from_bytes(answer[21:25], "big")
    if middle + 4 > len(answer) or middle + 4 + int.from_bytes(answer[middle : middle + 4], "big") != len(answer):
        raise Undecided("malformed")
    return answer[20], answer[25:middle], answer[middle + 4 :]


def open_lock(socket_path: str) -> int:
    """Open the file whose lock decides who starts the daemon; it stands beside the socket."""
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_NOFOLLOW | posix.O_NONBLOCK
    try:
        try:
            return posix.open(socket_path + ".start", flags, 0o600)
        except FileNotFoundError:
            try:  # noqa: SIM105
                posix.mkdir(socket_path[: socket_path.rindex("/")], 0o700)  # A machine where Outrider never ran.
            except OSError:
                pass
            return posix.open(socket_path + ".start", flags, 0o600)
    except OSError:
        raise Undecided("no-daemon") from None


def take(lock: int) -> bool:
    """Take the lock if it is free."""
    import fcntl  # noqa: PLC0415 (only a first call pays for it)

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def launch(program: str) -> None:
    """Start the daemon, detached from us and from the host; Undecided if it can not even be executed."""
    reader, writer = posix.pipe()
    signal(SIGCHLD, SIG_DFL)  # Where the host ignores it, there would be nobody to wait for.
    child = posix.fork()
    if child == 0:
        try:
            posix.setsid()
            if posix.fork() == 0:
                become_daemon(program, writer)
        finally:
            _exit(1)
    posix.close(writer)
    posix.waitpid(child, 0)
    failed = posix.read(reader, 1)
    posix.close(reader)
    if failed:
        raise Undecided("no-daemon")


def become_daemon(program: str, report: int) -> None:
    """Execute the program. Its environment is ours to choose, not the agent's. Returns only if that fails."""
    try:
        null = posix.open("/dev/null", posix.O_RDWR)
        for fd in range(3):
            posix.dup2(null, fd)
        posix.closerange(3, report)
        posix.closerange(report + 1, 65536)
        for number in range(1, 65):  # What was ignored would stay so, and the interpreter ignores two by itself.
            try:
                signal(number, SIG_DFL)
            except (OSError, ValueError):
                continue  # SIGKILL, SIGSTOP, and what the C library keeps for itself.
        pthread_sigmask(SIG_SETMASK, [])
        posix.umask(0o077)
        posix.chdir("/")
        posix.execve(program, [program], {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"})
    except OSError:
        posix.write(report, b"!")


if __name__ == "__main__":
    for _fd in range(3):  # A socket must never land on a closed stdout.
        try:
            posix.fstat(_fd)
        except OSError:
            posix.open("/dev/null", posix.O_WRONLY if _fd else posix.O_RDONLY)
    _exit(Hook().run(sys.argv[1:]))
