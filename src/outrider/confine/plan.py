"""The plan of a sandbox: what the kernel is to hold a process tree to, and what it cannot. Pure.

From the charters of an agent's line (each a ceiling), what this host's kernel offers and where things are, to a frozen
:class:`Plan`. Invariants, each a property test:

- Nothing is granted that a charter of the line does not permit, but what is named in :attr:`Plan.lacks` or
  :attr:`Plan.lent`.
- Outrider's own home is in no plan, but for the agent's own hook socket.
- What cannot be held has a name; nothing is left out in silence.

The kernel holds *files and hosts*. Which program, which label, which question to a person (``[ask]``): those stay with
the hooks, and the plan says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from outrider.charter.cedar import spread
from outrider.charter.floor import GIT_CONFIG, HOST_FILES
from outrider.charter.groups import NOT_SYSTEM
from outrider.charter.model import Charter
from outrider.charter.paths import folded, segment_regex
from outrider.charter.patterns import Asked, Declared, Index, Scene, expand
from outrider.confine.around import Listed, around
from outrider.confine.trees import Anchors, Forest, Tree, common, held, smallest, within

Network = Literal["proxy", "port", "told"]
"""``proxy``: a network of its own whose only way out is our proxy. ``port``: TCP only to the proxy's port. ``told``:
programs are told of the proxy and nothing holds them to it."""

_VERBS = ("read", "write", "delete")
GIT_HOOKS = ("**/.git/hooks/**", "**/.git/modules/**/hooks/**")
_EMPTIED = "/run"
"""Where daemons keep their sockets: a connection to one is no use of a file, so no rule about files would stop it."""

_STAYS = ("/run/systemd/resolve", "/run/current-system", "/run/wrappers")


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """What this host's kernel offers to a user without privileges.

    Attributes:
        landlock: Version of Landlock's interface, 0 for none (landlock(7)).
        namespaces: Whether a user, mount and network namespace can be had.
        seccomp: Whether system calls can be filtered.
        seen: Whether a filter can tell of them, and nobody above listens already (seccomp_unotify(2)).
        closed: Whether somebody above is held to the port of a proxy of its own, so that no other can be reached.
    """

    landlock: int = 0
    namespaces: bool = False
    seccomp: bool = False
    seen: bool = False
    closed: bool = False


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at a path.

    Attributes:
        real: Where it leads, every link followed.
        folder: Whether that is a directory.
    """

    real: str
    folder: bool = True


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are for one agent, absolute and with links followed.

    Attributes:
        home: Its home.
        repo: Its repository, or the directory that it starts in.
        outrider: Outrider's own home.
        package: Outrider's own program files; agents run the hook client in them.
        program: The command's own files, which a person named by starting it.
        own: What the command itself must write: its host's state, the git directory of a linked work tree.
        tmp: Directories for temporary files.
        seen: What stands at the paths that :func:`wanted` names; what is missing there is not granted.
        inside: Existing paths in the repository and in ``own`` whose names a refusal could mean (:func:`names`).
        walked: Whether all of these was looked through for ``inside``.
    """

    home: str
    repo: str
    outrider: str
    package: str = ""
    program: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    tmp: tuple[str, ...] = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - names to grant, not files to make.
    seen: Mapping[str, Seen] = {}
    inside: tuple[str, ...] = ()
    walked: bool = True
    beside: Listed = {}


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One rule about files.

    Attributes:
        path: Absolute, links followed.
        whole: True for a directory and all below it, False for one file.
        read: Reading, listing and running.
        write: Writing and making.
        delete: Removing, and moving away.
    """

    path: str
    whole: bool
    read: bool = False
    write: bool = False
    delete: bool = False


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the charter says and the kernel is not made to hold.

    Attributes:
        what: Its name: ``never.read``, ``never.write``, ``ask``, ``exec``, ``network``, ``sockets``, ``signals``, ...
        why: One sentence.
        patterns: The patterns that it is about, where it is about some.
    """

    what: str
    why: str
    patterns: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be applied.

    Attributes:
        grants: Rules about files; everything else is refused.
        own_view: Whether the tree gets a file system of its own to look at: ``emptied``, ``tmp``, ``hidden`` and
            ``kept`` hold only then.
        emptied: Directories that are shown empty but for what is granted in them.
        tmp: Directories for temporary files, each an empty one of its own.
        hidden: Paths that are shown as nothing.
        kept: Paths that nothing can be written to though they lie where writing is granted.
        pinned: Paths that cannot be removed or moved away themselves, whatever is done in them.
        network: How the network is held.
        seccomp: Whether system calls are filtered.
        signals: Whether signals to processes outside are refused.
        seen: Whether the daemon is told which programs the tree starts and what it connects to.
        leads_out: Whether there is a proxy for it.
        lacks: What is not held.
        lent: Paths that no charter grants, or not for writing, and the command itself needs.
    """

    grants: tuple[Grant, ...]
    own_view: bool
    network: Network
    seccomp: bool
    signals: bool
    landlock: int
    seen: bool = False
    leads_out: bool = True
    emptied: tuple[str, ...] = ()
    tmp: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    lacks: tuple[Lack, ...] = ()
    lent: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether files, network and system calls are all held: what ``opaque = "confined"`` asks for."""
        return self.landlock > 0 and self.network != "told" and self.seccomp


def wanted(line: Sequence[Charter], places: Places) -> tuple[str, ...]:
    """Return the paths that a plan needs to know about."""
    anchors = _anchors(places)
    found = {tree.path for verb in _VERBS for tree in common(line, verb, anchors).found}
    return tuple(sorted({*found, *places.program, places.package} - {""}))


def plan(line: Sequence[Charter], host: Host, places: Places) -> Plan:
    """Return the plan of an agent.

    Args:
        line: Its charter and every one that bounds it, its own first.
        host: What the kernel offers.
        places: Where things are.
    """
    anchors = _anchors(places)
    never = _Never(line, places)
    lacks: list[Lack] = []
    granted: dict[str, tuple[Tree, ...]] = {}
    for verb in _VERBS:
        said = common(line, verb, anchors)
        allowed = Forest(said.found)
        found = (led for tree in said.found if (led := _led(tree, allowed, places)) and not never.refuses(verb, led))
        granted[verb] = smallest(found, places.tmp)
        if said.left:
            lacks.append(
                Lack(what=f"may.{verb}", why="No tree has this form, so it is not granted.", patterns=said.left)
            )
    tmp = places.tmp
    lent = tuple(path for path in places.program if not _own(path, places) and not held(path, granted["read"], tmp))
    own = tuple(path for path in places.own if not _own(path, places) and not held(path, granted["write"], tmp))
    for verb in _VERBS:
        granted[verb] = smallest((*granted[verb], *(Tree(path, whole=True) for path in own)), tmp)
    if not host.namespaces:
        lacks += _without_ours(granted, places)
    grants = _grants(granted, (*lent, *([places.package] if places.package else [])))
    view = host.namespaces
    hidden, kept, pinned = never.within(grants, own_view=view, lacks=lacks)
    lacks += _about_charters(line, places)
    lacks += _about_host(host, places)
    if view and held(places.home, granted["read"]):
        why = "The whole home is granted, and with it the sockets of other programs in it."
        lacks.append(Lack(what="sockets", why=why))
    return Plan(
        grants=grants if host.landlock else (),
        own_view=view,
        network="proxy" if view else "port" if host.landlock >= _TCP else "told",
        seccomp=host.seccomp,
        signals=host.landlock >= _SCOPES,
        landlock=host.landlock,
        seen=host.seccomp and host.seen,
        leads_out=view or not host.closed,
        emptied=_emptied(places, grants) if view else (),
        tmp=places.tmp if view else (),
        hidden=hidden,
        kept=kept,
        pinned=pinned,
        lacks=tuple(lacks),
        lent=(*lent, *own),
    )


def reaches(made: Plan, verb: Literal["read", "write", "delete"], path: str) -> bool:
    """Return whether the kernel would let a path be read, written or removed; links in it are followed before.

    What stands in an emptied directory and is not granted is not even there.
    """
    if any(within(path, one) for one in made.hidden):
        return False
    if verb != "read" and any(within(path, one) for one in made.kept):
        return False
    if verb == "delete" and any(within(one, path) for one in made.pinned):
        return False
    if not made.landlock:
        return not any(within(path, one) for one in (*made.emptied, *made.tmp))
    return any(getattr(one, verb) and Tree(one.path, one.whole).holds(Tree(path, whole=False)) for one in made.grants)


_TCP, _SCOPES, _TRUNCATE = 4, 6, 3
"""Versions of Landlock that hold TCP ports, signals, and the truncating of files."""


def _anchors(places: Places) -> Anchors:
    """Return what patterns start at. A repository that is the whole home, or holds Outrider's, grants nothing."""
    repo = "" if _too_wide(places) else places.repo
    return Anchors(places.home, repo, places.tmp)


def _too_wide(places: Places) -> bool:
    return not places.repo or within(places.home, places.repo) or within(places.outrider, places.repo)


def _led(tree: Tree, allowed: Forest, places: Places) -> Tree | None:
    """Return where a granted place leads, or None if it is not there or leads out of what is allowed."""
    seen = places.seen.get(tree.path)
    if seen is None or (seen.folder and not tree.whole):
        return None
    led = Tree(seen.real, whole=tree.whole and seen.folder)
    if _own(led.path, places) or not (led.path == tree.path or allowed.holds(led)):
        return None
    return led


def _own(path: str, places: Places) -> bool:
    return within(path, places.outrider)


def _without_ours(granted: dict[str, tuple[Tree, ...]], places: Places) -> Iterable[Lack]:
    """Let the grants go around Outrider's own files: without a view of its own nothing can keep them apart."""
    for verb in _VERBS:
        ours = [places.outrider, *([places.package] if places.package and verb != "read" else [])]
        out = tuple(tree for tree in granted[verb] if around(tree, ours, places.beside) != (tree,))
        if out:
            granted[verb] = smallest(
                (one for tree in granted[verb] for one in around(tree, ours, places.beside)), places.tmp
            )
            why = "Outrider's own files lie in it: only what stood beside them at the start is granted."
            yield Lack(what=f"may.{verb}", why=why, patterns=tuple(tree.path for tree in out))


def _grants(granted: Mapping[str, tuple[Tree, ...]], readable: Iterable[str]) -> tuple[Grant, ...]:
    every = {tree for trees in granted.values() for tree in trees} | {Tree(path, whole=True) for path in readable}
    read = Forest((*granted["read"], *(Tree(path, whole=True) for path in readable)))
    write, delete = Forest(granted["write"]), Forest(granted["delete"])
    return tuple(
        Grant(
            path=tree.path,
            whole=tree.whole,
            read=read.holds(tree),
            write=write.holds(tree),
            delete=delete.holds(tree),
        )
        for tree in sorted(every)
    )


@lru_cache(maxsize=64)
def _index(said: tuple[tuple[str, str], ...]) -> Index:
    return Index(Declared(text, verb, text, strict=True) for verb, text in said)


def refusals(line: Sequence[Charter]) -> tuple[tuple[str, str], ...]:
    """Return the verbs and patterns of everything that is refused whatever is granted, each once."""
    declared: list[tuple[str, str]] = [
        *((verb, text) for verb in ("write", "delete") for text in (*HOST_FILES, *GIT_HOOKS, *GIT_CONFIG)),
        *((verb, text) for charter in line for verb in _VERBS for text in spread(charter.never).get(verb, ())),
    ]
    if any("@system" in charter.may.get("read", ()) for charter in line):
        declared += [("read", text) for text in NOT_SYSTEM if not text.startswith("/proc")]
    return tuple(dict.fromkeys(declared))


@lru_cache(maxsize=64)
def names(said: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    """Return what the last name of a path must match, folded, to be one that a refusal could mean.

    What a refusal means below a directory (``hooks/**``) goes with the directory.
    """
    last = dict.fromkeys(one.removesuffix("/**").rpartition("/")[2] for _, text in said for one in expand(text))
    return re.compile("(?s)" + "|".join(segment_regex(folded(name)) for name in last if name not in {"", "**"}))


class _Never:
    """What is refused whatever is granted: ``[never]`` of every charter, the floor, Outrider's own places."""

    def __init__(self, line: Sequence[Charter], places: Places) -> None:
        self.places = places
        self.scene = Scene(places.home, places.repo, places.tmp, {}, (), ())
        said = refusals(line)
        tmp = tuple(f"{path}/**" for path in places.tmp)
        self.written = tuple(
            (verb, one) for verb, text in said for one in (*expand(text), *(tmp if text == "@tmp" else ()))
        )
        self.index = _index(said)

    def refuses(self, verb: str, tree: Tree) -> bool:
        """Return whether a whole tree is refused: its top is. Its own top nobody can remove by a right on the tree."""
        asked = tree.path + "/\1" if verb == "delete" and tree.whole else tree.path
        return bool(self._hits(verb, asked))

    def _hits(self, verb: str, path: str) -> tuple[str, ...]:
        return self.index.members(Asked(verb, "path", path, ()), self.scene)

    def within(
        self, grants: Sequence[Grant], *, own_view: bool, lacks: list[Lack]
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Return what must be hidden, kept from writing, and kept from being removed, inside of what is granted."""
        paths = {*self.places.inside, *self._written_out()}
        readable = Forest(Tree(one.path, one.whole) for one in grants if one.read or one.write)
        writable = Forest(Tree(one.path, one.whole) for one in grants if one.write or one.delete)
        hidden = [path for path in paths if readable.has(path) and self._hits("read", path)]
        kept = [path for path in paths if writable.has(path) and self._kept(path)]
        if readable.has(self.places.outrider):
            hidden.append(self.places.outrider)
        if self.places.package and writable.has(self.places.package):
            kept.append(self.places.package)
        pinned = {path for path in paths if writable.has(path) and self._hits("delete", path)} - {"/"}
        self._name(readable, writable, own_view=own_view, lacks=lacks)
        return (_tops(hidden), _tops(kept), tuple(sorted(pinned - {*kept}))) if own_view else ((), (), ())

    def _kept(self, path: str) -> bool:
        """Return whether all of it is: where only its own removal is refused, what is in it may be written."""
        return bool(self._hits("write", path) or self._hits("delete", path + "/\1"))

    def _written_out(self) -> Iterable[str]:
        """Yield the paths that refusals name without a wildcard, as far as they start somewhere."""
        anchors = {"~": self.places.home, "repo": self.places.repo}
        for _, text in self.written:
            top, _, rest = text.removesuffix("/**").partition("/")
            if "*" not in rest and "?" not in rest and (not top or anchors.get(top)):
                yield f"{anchors.get(top, '')}/{rest}".rstrip("/") or "/"

    def _name(self, readable: Forest, writable: Forest, *, own_view: bool, lacks: list[Lack]) -> None:
        """Name the refusals that reach into what is granted and that nothing holds there."""
        for verb, places in (("read", readable), ("write", writable), ("delete", writable)):
            said = tuple(text for one, text in self.written if one == verb and _may_meet(text, places, self.scene))
            if not said:
                continue
            if not own_view:
                why = "Without a file system of its own, nothing inside of what is granted can be refused."
            elif verb == "read":
                why = "What is there at the start is hidden; a file by such a name that comes later is not."
                why += "" if self.places.walked else " The directories are large: only part was looked through."
            else:
                why = "What is there at the start is kept; a file by such a name that was not there can be made."
            lacks.append(Lack(what=f"never.{verb}", why=why, patterns=said))


def _tops(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(tree.path for tree in smallest(Tree(path, whole=True) for path in paths))


def _may_meet(text: str, places: Forest, scene: Scene) -> bool:
    """Return whether a refusal could name something in what is granted: it starts above, in, or anywhere."""
    top, _, rest = text.partition("/")
    start = {"~": scene.home, "repo": scene.repo, "": ""}.get(top)
    if start is None:
        return True
    plain = []
    for name in rest.split("/"):
        if "*" in name or "?" in name:
            break
        plain.append(name)
    fixed = "/".join([start, *plain]).rstrip("/") or "/"
    return places.meets(fixed)


def _emptied(places: Places, grants: Sequence[Grant]) -> tuple[str, ...]:
    """Return what is shown empty: the home, unless all of it is granted, and where sockets lie."""
    granted = any(one.whole and within(places.home, one.path) for one in grants)
    home = () if places.home in {"", "/"} or granted else (places.home,)
    found = (*home, _EMPTIED, places.outrider)
    return tuple(one for one in _tops(found) if not any(within(one, tmp) for tmp in places.tmp))


def _about_charters(line: Sequence[Charter], places: Places) -> list[Lack]:
    found = []
    if _too_wide(places):
        why = "The directory holds your home or Outrider's, so nothing in it is granted: start it in a repository."
        found.append(Lack(what="repo", why=why, patterns=(places.repo or "repo",)))
    asked = sorted({verb for charter in line for verb in charter.ask if verb in _VERBS})
    if asked:
        why = "Nobody is asked about what a program does: where [may] grants it, it is done."
        found.append(Lack(what="ask", why=why, patterns=tuple(asked)))
    if not any("*" in charter.may.get("exec", ()) for charter in line[:1]):
        why = "Programs are told apart by hooks; the kernel runs whatever may be read."
        found.append(Lack(what="exec", why=why))
    return found


def _about_host(host: Host, places: Places) -> list[Lack]:
    found = [Lack(what="processes", why="Names and command lines of other processes can be read below /proc.")]
    if not host.landlock:
        why = "This kernel has no Landlock: files are held by nothing but the user's own permissions."
        found.append(Lack(what="files", why=why))
    elif host.landlock < _TRUNCATE:
        found.append(Lack(what="truncate", why="This kernel's Landlock cannot keep a file from being emptied."))
    if not host.namespaces:
        why = "Sockets of other programs (ssh-agent, D-Bus, Docker, tmux) can be reached: they are no files."
        found.append(Lack(what="sockets", why=why))
        why = "Temporary files are shared with everybody of this user."
        found.append(Lack(what="tmp", why=why, patterns=places.tmp))
        found.append(Lack(what="network", why=_about_network(host)))
        if host.closed:
            why = "No host can be reached: whoever started it is held to the port of a proxy of its own."
            found.append(Lack(what="hosts", why=why))
    if host.landlock < _SCOPES:
        found.append(Lack(what="signals", why="Processes of this user outside can be sent signals, Outrider's too."))
    if not host.seccomp:
        found.append(Lack(what="seccomp", why="System calls are not filtered."))
    if not (host.seccomp and host.seen):
        why = (
            "What its processes do is not heard of: nobody asked, the kernel cannot tell, or it tells a launcher above."
        )
        found.append(Lack(what="seen", why=why))
    return found


def _about_network(host: Host) -> str:
    if host.landlock < _TCP:
        return "Nothing holds the network: programs are told of the proxy, and may ignore it."
    why = "TCP is held by port alone: a server elsewhere that listens on the proxy's very port can be reached past it."
    return why if host.seccomp else f"{why} UDP goes out, so names can be asked for."


def stays() -> tuple[str, ...]:
    """Return what stays visible of the directories that are shown empty, though no charter names it."""
    return _STAYS
