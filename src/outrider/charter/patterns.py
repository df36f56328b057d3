"""Which declared patterns a resource falls in: one index a charter, asked with the bindings of one agent.

Patterns are compiled once a charter version, relative to their anchors; home, repository and groups come with the
question, so that 500 agents in 500 homes share one index. Refusals (``[never]``, the floor) are strict: they compare
without regard to case or Unicode form, and meet a resource that holds a glob or names a whole tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from outrider.charter.groups import HOST_GROUPS, LEFT_OUT, LOOPBACK, NOT_SYSTEM, PATH_GROUPS, PATHS
from outrider.charter.hosts import Host, HostGlob, host, parse_host
from outrider.charter.names import known, package, parse_name, parse_package
from outrider.charter.paths import (
    PathGlob,
    Space,
    below,
    folded,
    glob_regex,
    holds,
    normal,
    overlaps,
    parse_path,
    segments_meet,
)
from outrider.errors import CharterError
from outrider.events.call import VERBS

PATH_VERBS = frozenset({"read", "write", "delete", "commit"})
_CHILD = "/\1"
"""A child of a directory: what permits a whole tree must permit what is in it."""

MATTER = frozenset({"pattern", "recursive", "names", "remote", "inexact", "upload", "listed", "suspect"})
"""Flags of an effect that membership depends on."""

UNIVERSAL = frozenset({"*", "**", "/**"})


class Scene(NamedTuple):
    """What patterns are resolved against: the bindings of one agent, in normal form.

    Attributes:
        home: Absolute path, or empty.
        repo: Absolute path, or empty.
        tmp: Absolute paths.
        groups: Group name to members.
        homes: Other names of the home, absolute; refusals hold there as well, permits do not.
        repos: Other names of the repository, likewise.
    """

    home: str
    repo: str
    tmp: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    homes: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()


class Declared(NamedTuple):
    """One pattern as declared.

    Attributes:
        id: Its id, also of its ``Pattern`` entity in Cedar.
        verb: Verb that it was declared for.
        text: As written.
        strict: True for refusals.
    """

    id: str
    verb: str
    text: str
    strict: bool


class Asked(NamedTuple):
    """The resource of a question.

    Attributes:
        verb: Verb.
        kind: Kind of resource.
        value: The resource.
        flags: Of these, those in :data:`MATTER` matter.
    """

    verb: str
    kind: str
    value: str
    flags: tuple[str, ...]


def check(verb: str, text: str) -> None:
    """Refuse what is not a pattern for ``verb``.

    Raises:
        CharterError: Why, and what to write instead.
    """
    if verb not in VERBS or verb in {"unparsed", "opaque"}:
        raise CharterError(f'"{verb}" is not a verb')
    if text.startswith("@") and verb != "install":
        allowed = PATH_GROUPS if verb in PATH_VERBS else HOST_GROUPS if verb == "connect" else ()
        if text not in allowed:
            names = ", ".join(allowed) or "none"
            raise CharterError(f'"{text}" is not a group for {verb}', fix=f"Groups there are: {names}.")
        return
    if verb in PATH_VERBS:
        parse_path(text)
    elif verb == "connect":
        parse_host(text)
    elif verb == "install":
        parse_package(text)
    else:
        parse_name(text)


def fits(verb: str, text: str) -> bool:
    """Return whether ``text`` is a pattern for ``verb``."""
    try:
        check(verb, text)
    except CharterError:
        return False
    return True


def expand(text: str) -> tuple[str, ...]:
    """Return the path patterns that a path pattern or group stands for, ``@tmp``'s own directories left out."""
    return PATHS.get(text, (text,))


class _Paths:
    """Path patterns of one comparison (exact or folded), found by their first segment."""

    def __init__(self, *, fold: bool) -> None:
        self.fold = fold
        self.exact: dict[tuple[Space, str], list[str]] = {}
        self.first: dict[tuple[Space, str], list[tuple[re.Pattern[str], str]]] = {}
        self.rest: dict[Space, list[tuple[re.Pattern[str], str]]] = {}
        self.globs: list[tuple[PathGlob, str]] = []
        self.spaces: set[Space] = set()

    def add(self, glob: PathGlob, name: str) -> None:
        if self.fold:
            glob = PathGlob(glob.space, tuple(folded(segment) for segment in glob.segments))
        self.globs.append((glob, name))
        self.spaces.add(glob.space)
        whole = "/".join(glob.segments)
        if "*" not in whole and "?" not in whole:
            key = "".join("/" + segment for segment in glob.segments)
            self.exact.setdefault((glob.space, key), []).append(name)
            return
        entry = (re.compile("(?s)" + glob_regex(glob.segments)), name)
        head = glob.segments[0]
        if "*" in head or "?" in head:
            self.rest.setdefault(glob.space, []).append(entry)
        else:
            self.first.setdefault((glob.space, head), []).append(entry)

    def rests(self, value: str, scene: Scene, *, remote: bool) -> list[tuple[Space, str]]:
        """Return what is left of the path below each anchor that it is below."""
        if remote:
            return [("remote", below(normal(value), "/") or "")] if value.startswith("/") else [("remote", "/" + value)]
        if not value.startswith("/"):
            return _unanchored(folded(value)) if self.fold else []
        path = folded(normal(value)) if self.fold else normal(value)
        anchors: list[tuple[Space, str]] = [("root", "/"), ("home", scene.home), ("repo", scene.repo)]
        anchors += [("tmp", directory) for directory in scene.tmp]
        if self.fold:
            anchors += [("home", other) for other in scene.homes]
            anchors += [("repo", other) for other in scene.repos]
        found: list[tuple[Space, str]] = []
        for space, anchor in anchors:
            if space in self.spaces:
                left = below(path, folded(anchor) if self.fold else anchor)
                if left is not None:
                    found.append((space, left))
        return found

    def match(self, rests: list[tuple[Space, str]], out: dict[str, None]) -> None:
        for space, rest in rests:
            for name in self.exact.get((space, rest), ()):
                out[name] = None
            head = rest[1:].partition("/")[0]
            for regex, name in self.first.get((space, head), ()):
                if name not in out and regex.fullmatch(rest):
                    out[name] = None
            for regex, name in self.rest.get(space, ()):
                if name not in out and regex.fullmatch(rest):
                    out[name] = None

    def meet(self, asked: Asked, scene: Scene, *, remote: bool, out: dict[str, None]) -> None:
        """Add the patterns that a glob could match, or that a whole tree holds, though the text does not match.

        Both are spelt out from the root, because a glob or a tree may begin above the anchor: ``/home/*/.ssh``.
        """
        value = _parts(folded(normal(asked.value)))
        starts = {space: [_parts(folded(one)) for one in _anchors(space, scene)] for space in self.spaces}
        for glob, name in self.globs:
            if name in out or (glob.space == "remote") != remote:
                continue
            for start in starts[glob.space]:
                if _meets(asked, value, (*start, *glob.segments)):
                    out[name] = None


def _meets(asked: Asked, value: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Return whether a shell glob could match, or a whole tree holds, something that the pattern names.

    A plain name that may be anywhere (``**/opencode.json``) counts only where a glob says how the name begins: else no
    ``*.json`` in any directory could be touched.
    """
    if "pattern" not in asked.flags:
        return _is_tree(asked) and holds(value, pattern)
    anywhere = len(pattern) == 2 and pattern[0] == "**" and not pattern[1].startswith(".")
    if anywhere and value and value[-1][0] in "*?[{":
        return False
    return overlaps(value, pattern) or (_is_tree(asked) and holds(value, pattern))


def _is_tree(asked: Asked) -> bool:
    """Whether the content of everything below is meant; of a walk that only lists ``names``, it is not."""
    return "recursive" in asked.flags and "names" not in asked.flags


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _anchors(space: Space, scene: Scene) -> tuple[str, ...]:
    """Return the directories that refusals of a space are anchored at."""
    if space == "tmp":
        return scene.tmp
    known = {"home": (scene.home, *scene.homes), "repo": (scene.repo, *scene.repos)}.get(space, ("/",))
    return tuple(one for one in known if one)


def _unanchored(value: str) -> list[tuple[Space, str]]:
    """A path of which the start is not known, as refusals see it: anywhere, and any end of it below home or repository.

    ``$D/.env`` meets ``**/.env``, and ``$D/.ssh/id_rsa`` meets ``~/.ssh/**``.
    """
    parts = _parts(value)
    ends = ["".join("/" + part for part in parts[at:]) for at in range(min(len(parts), 32))]
    spaces: tuple[Space, ...] = ("home", "repo")
    return [("root", ends[0] if ends else ""), *((space, end) for space in spaces for end in ends)]


_NOT_SYSTEM = _Paths(fold=True)
for _text in NOT_SYSTEM:
    _NOT_SYSTEM.add(parse_path(_text), "no")

_LEFT_OUT: dict[str, _Paths] = {}
for _group, _texts in LEFT_OUT.items():
    _LEFT_OUT[_group] = _Paths(fold=True)
    for _text in _texts:
        _LEFT_OUT[_group].add(parse_path(_text), "no")
_LEFT_OUT["@host"].add(PathGlob("tmp", ("**",)), "no")


def _is_left_out(group: str, asked: Asked, scene: Scene) -> bool:
    """Whether all that is meant lies in what a group leaves out: a glob, or a tree, as a whole."""
    if not asked.value.startswith("/"):
        return False
    paths = _LEFT_OUT[group]
    rests = paths.rests(asked.value, scene, remote=False)
    if _is_tree(asked):
        rests = [(space, rest + _CHILD) for space, rest in rests]
    found: dict[str, None] = {}
    paths.match(rests, found)
    return bool(found)


class _Verb:
    """Everything declared for one verb."""

    def __init__(self) -> None:
        self.plain = _Paths(fold=False)
        self.strict = _Paths(fold=True)
        self.hosts: dict[str, list[tuple[HostGlob, str]]] = {}
        self.wild_hosts: list[tuple[HostGlob, str]] = []
        self.host_groups: list[str] = []
        self.names: list[tuple[re.Pattern[str], str, bool]] = []
        self.texts: list[tuple[str, str, bool]] = []
        self.exact_names: dict[str, list[str]] = {}
        self.known: list[tuple[str, str]] = []
        self.universal: list[str] = []
        self.system: set[str] = set()
        self.groups: dict[str, list[str]] = {}
        self.registries: list[str] = []

    def add(self, one: Declared) -> None:
        if one.text in UNIVERSAL:
            self.universal.append(one.id)
        elif one.verb in PATH_VERBS:
            self._add_path(one)
        elif one.verb == "connect":
            self._add_host(one)
        elif one.verb == "push":
            self.texts.append((one.text, one.id, one.strict))
            self._add_name(one)
        elif one.verb == "install" and isinstance(group := parse_package(one.text), str):
            self.known.append((group, one.id))
        else:
            self._add_name(one)

    def _add_name(self, one: Declared) -> None:
        if "*" in one.text or "?" in one.text or one.strict:
            text = folded(one.text) if one.strict else one.text
            self.names.append((parse_name(text), one.id, one.strict))
        else:
            text = package(one.text) if one.verb == "install" else one.text
            self.exact_names.setdefault(text, []).append(one.id)

    def _add_path(self, one: Declared) -> None:
        paths = self.strict if one.strict else self.plain
        for text in expand(one.text):
            paths.add(parse_path(text), one.id)
        if one.text == "@tmp":
            paths.add(PathGlob("tmp", ("**",)), one.id)
        if one.text == "@system" and not one.strict:
            self.system.add(one.id)
        if one.text in LEFT_OUT and one.strict:
            self.groups.setdefault(one.text, []).append(one.id)

    def _add_host(self, one: Declared) -> None:
        if one.text == "@registries":
            self.registries.append(one.id)
            return
        for text in LOOPBACK if one.text == "@loopback" else (one.text,):
            glob = parse_host(text)
            if glob.name:
                self.hosts.setdefault(glob.name, []).append((glob, one.id))
            else:
                self.wild_hosts.append((glob, one.id))

    def paths(self, asked: Asked, scene: Scene, out: dict[str, None]) -> None:
        remote = "remote" in asked.flags
        wide = ("pattern" in asked.flags and "names" not in asked.flags) or _is_tree(asked)
        if self.plain.globs:
            rests = self.plain.rests(asked.value, scene, remote=remote)
            if _is_tree(asked):
                rests = [(space, rest + _CHILD) for space, rest in rests]
            self.plain.match(rests, out)
            if self.system and not self.system.isdisjoint(out):
                self._leave_out(asked, scene, out)
        if self.strict.globs:
            for far in (True, False) if remote else (False,):
                rests = self.strict.rests(asked.value, scene, remote=far)
                self.strict.match(rests, out)
                if wide:
                    self.strict.meet(asked, scene, remote=far, out=out)
            for group, names in self.groups.items():
                if not out.keys().isdisjoint(names) and _is_left_out(group, asked, scene):
                    for name in names:
                        out.pop(name, None)

    def _leave_out(self, asked: Asked, scene: Scene, out: dict[str, None]) -> None:
        left: dict[str, None] = {}
        rests = _NOT_SYSTEM.rests(asked.value, scene, remote=False)
        _NOT_SYSTEM.match(rests, left)
        if "pattern" in asked.flags:
            _NOT_SYSTEM.meet(asked._replace(flags=("pattern",)), scene, remote=False, out=left)
        if left:
            for name in self.system:
                out.pop(name, None)

    def match_host(self, value: Host, asked: Asked, scene: Scene, out: dict[str, None]) -> None:
        for glob, name in self.hosts.get(value.name, ()):
            if glob.matches(value):
                out[name] = None
        for glob, name in self.wild_hosts:
            if glob.matches(value):
                out[name] = None
        if self.registries and "upload" not in asked.flags and _is_registry(value, scene):
            out.update(dict.fromkeys(self.registries))

    def match_unknown(self, value: str, out: dict[str, None]) -> None:
        """``origin/?``: a branch that is not known. A permit must cover every branch; a refusal or question, any."""
        every, some = value.replace("?", "\1"), folded(value.replace("?", "*"))
        for text, name, strict in self.texts:
            if parse_name(text).fullmatch(every) or (strict and segments_meet(some, folded(text))):
                out[name] = None

    def match_name(self, value: str, scene: Scene, out: dict[str, None], flags: tuple[str, ...] = ()) -> None:
        for name in self.exact_names.get(value, ()):
            out[name] = None
        bare = folded(value)
        for regex, name, strict in self.names:
            if regex.fullmatch(bare if strict else value):
                out[name] = None
        for group, name in self.known:
            if known(group, value, scene.groups, flags):
                out[name] = None


def _is_registry(value: Host, scene: Scene) -> bool:
    """Whether packages come from there. ``registry`` is whichever the package manager at hand is set up to use."""
    return value.name == "registry" or any(
        parse_host(text).matches(value) for text in scene.groups.get("registries", ())
    )


class Index:
    """The patterns of one charter version."""

    def __init__(self, declared: Iterable[Declared]) -> None:
        self._verbs: dict[str, _Verb] = {}
        for one in declared:
            self._verbs.setdefault(one.verb, _Verb()).add(one)

    def globs(self) -> Iterator[tuple[bool, PathGlob]]:
        """Yield every path pattern of every verb, what groups leave out among them; first whether it is folded."""
        for verb in self._verbs.values():
            for paths in (verb.plain, verb.strict):
                yield from ((paths.fold, glob) for glob, _ in paths.globs)
        for paths in (_NOT_SYSTEM, *_LEFT_OUT.values()):
            yield from ((True, glob) for glob, _ in paths.globs)

    def members(self, asked: Asked, scene: Scene) -> tuple[str, ...]:
        """Return the ids of the patterns that the resource falls in."""
        found = self._verbs.get(asked.verb)
        if found is None:
            return ()
        out: dict[str, None] = dict.fromkeys(found.universal)
        if asked.verb in PATH_VERBS:
            if asked.kind in {"path", "repo"}:
                found.paths(asked, scene, out)
        elif asked.verb == "connect":
            if asked.kind == "host":
                found.match_host(host(asked.value), asked, scene, out)
        elif asked.verb == "install":
            found.match_name(package(asked.value), scene, out, asked.flags)
        elif asked.verb == "push" and "inexact" in asked.flags:
            found.match_unknown(asked.value, out)
        elif asked.kind == "agent":
            found.match_name("agent:" + asked.value, scene, out)
        else:
            found.match_name(asked.value, scene, out)
        return tuple(out)
