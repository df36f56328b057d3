"""The checklist of a sealed bundle, in order (each problem names its check).

 1. archive      A plain zip: no member twice, outside of it, linked, encrypted, oversized or packed suspiciously well.
 2. key          The verifier key is well-formed; with --vkey or --policy it is yours, else the bundle's own.
 3. manifest     MANIFEST.json is a DSSE envelope over an in-toto Statement, and that key signed it.
 4. files        Every file has the SHA-256 that the manifest names; none is missing, none is there besides.
 5. checkpoint   That key signed it; its log, size and root are those that the manifest names.
 6. cosigned     Witnesses cosigned it, or an earlier one that it extends; with --policy, the quorum of your policy.
 7. event        Every leaf is canonical JSON of a known version and carries the index that its file is named by.
 8. proof        Every event's proof file leads from its leaf to the root of the checkpoint.
 9. source       Where two events of a source in a row are here, the later one names the hash of the earlier one.
10. opened       If the log's first event is here, it names this log and this key.
11. disclosed    Every content that is here, with its salt, is what its event promised; so is what lay beside an event.
12. held         Whatever an event promises and is not here is listed in redactions.json.
13. tiles        If the tree's tiles are here, they hash to the root and hold every event at its place.
14. timestamp    If there is one, it is not checked here; VERIFY.md says how.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from outrider.ledger.verify.bundle.archive import Archive, BundleError
from outrider.ledger.verify.bundle.leaves import Event, check_proof, parse_json, read_event, spans, tile_path
from outrider.ledger.verify.bundle.notes import (
    LOG,
    Key,
    Note,
    Policy,
    WrongError,
    cosigned,
    parse_key,
    parse_note,
    parse_policy,
    unbase64,
)
from outrider.ledger.verify.bundle.tree import extends, root_of

CHECKS = (
    "archive", "key", "manifest", "files", "checkpoint", "cosigned", "event", "proof", "source", "opened", "disclosed",
    "held", "tiles", "timestamp",
)  # fmt: skip
PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "tag:outrider,2026:bundle/v1"
MANIFEST = "MANIFEST.json"
_CONTENT = b"outrider/v1/content\0"
_TOLD = 20
_TILE = 256
_LEAF = re.compile(r"events/(0|[1-9][0-9]{0,18})\.json", re.ASCII)
_BESIDE = re.compile(r"beside/(0|[1-9][0-9]{0,18})\.msgpack", re.ASCII)
_DISCLOSED = re.compile(r"disclosed/(0|[1-9][0-9]{0,18})(-[0-9]{1,9})?\.json", re.ASCII)


@dataclass
class Report:
    """The outcome: what was found wrong, by check, and what is true of the bundle.

    Attributes:
        vkey: The key that was used.
        pinned: Whether the caller gave it; else it is the bundle's own.
        problems: Check and sentence, at most 20 of each check.
        more: How many further problems were left out.
        told: What each check has to say beside problems.
        lacking: What there was not to be checked, by check.
        about: The manifest's predicate.
        events: Number of events that are here.
        cosigned: Witness to the seconds since 1970 UTC when it cosigned.
        covered: Number of events that the cosigned checkpoint covers.
        quorum: ``yes``, ``no``, or empty where the caller gave no policy.
        carried: Which of ``vkey`` and ``policy`` the caller gave and the bundle carries as well: a copy from the bundle
            proves nothing, and this cannot tell a copy from the same thing had by another way.
        near: Witnesses whose address is of the machine or the network itself, by name.
    """

    vkey: str = ""
    pinned: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0
    told: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    events: int = 0
    cosigned: dict[str, int] = field(default_factory=dict)
    covered: int = 0
    quorum: str = ""
    carried: list[str] = field(default_factory=list)
    near: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problems

    def wrong(self, check: str, detail: str) -> None:
        """Note a problem."""
        if sum(1 for name, _ in self.problems if name == check) < _TOLD:
            self.problems.append((check, detail))
        else:
            self.more += 1


class Bundle:
    """One run of the checklist over an archive that was found safe to read."""

    def __init__(self, archive: Archive, vkey: str | None, policy: Policy | None) -> None:
        self.archive = archive
        self.policy = policy
        self.report = Report(pinned=vkey is not None or bool(policy and policy.logs))
        self.events: dict[int, Event] = {}
        self._given = vkey
        self._digests: dict[str, str] = {}
        self._read: set[str] = set()

    def check(self) -> Report:
        """Run checks 2 to 14 and return what came of them.

        Raises:
            BundleError: A member cannot be unpacked.
        """
        report = self.report
        count = len(self.archive.members)
        report.told["archive"] = f"{count} files, {self.archive.total} bytes unpacked, nothing unsafe"
        key = self.key()
        self.manifest(key)
        note = self.checkpoint(key)
        self.witnesses(key, note)
        self.every_event(note)
        self.sources()
        self.opened(note)
        self.disclosed()
        self.tiles(note)
        self.files()
        report.lacking["timestamp"] = "none is here"
        if "checkpoint.tsr" in self.archive.members:
            report.lacking["timestamp"] = "there is one, and it was not checked here; VERIFY.md says how"
        report.events = len(self.events)
        return report

    def get(self, name: str) -> bytes | None:
        """Return a file as the manifest has it (check 4), None if it is not there."""
        if name not in self.archive.members:
            return None
        data = self.archive.read(name)
        self._read.add(name)
        if name != MANIFEST and hashlib.sha256(data).hexdigest() != self._digests.get(name, ""):
            known = name in self._digests
            self.report.wrong("files", f"{name} {'is not what was sealed' if known else 'is not in the manifest'}")
        return data

    def key(self) -> Key | None:
        """Check 2."""
        logs = [one.vkey for one in self.policy.logs] if self.policy else []
        own = self.archive.read("keys/log.vkey") if "keys/log.vkey" in self.archive.members else b""
        text = self._given or own.decode("ascii", "replace")
        try:
            key = parse_key(text, LOG)
        except WrongError as error:
            self.report.wrong("key", str(error))
            return None
        if key.vkey != own.decode("ascii", "replace").strip():
            self.report.wrong("key", "the key that the bundle says it was sealed with is not the key you gave")
        if logs and key.vkey not in logs:
            self.report.wrong("key", "the key is not of a log that the policy names")
        self.report.vkey = key.vkey
        said = "the bundle's own: --vkey with a key you know proves more"
        if self.report.pinned:
            said = "the one you gave and the one that the bundle carries: a copy of that proves nothing by itself"
            self.report.carried.append("vkey")
        self.report.told["key"] = f"{key.name}, {said}"
        return key

    def manifest(self, key: Key | None) -> None:
        """Check 3; what it says of files is held against them as they are read."""
        data = self.get(MANIFEST)
        if data is None:
            raise BundleError("it holds no MANIFEST.json: it is not a bundle of Outrider's")
        try:
            envelope = parse_json(data)
            kind, payload = envelope["payloadType"], unbase64(envelope["payload"])
            signatures = [unbase64(one["sig"]) for one in envelope["signatures"]]
            statement = parse_json(payload)
            digests = {str(one["name"]): str(one["digest"]["sha256"]) for one in statement["subject"]}
            twice = len(statement["subject"]) - len(digests)
            types = (kind, statement["_type"], statement["predicateType"])
            self.report.about = dict(statement["predicate"])
        except (WrongError, ValueError, TypeError, KeyError) as error:
            self.report.wrong("manifest", f"the manifest cannot be read: {error!r}")
            return
        self._digests = digests
        if twice:
            self.report.wrong("manifest", "it names a file twice")
        if types != (PAYLOAD, STATEMENT, PREDICATE):
            self.report.wrong("manifest", f"it is of a kind or version that is not known: {', '.join(map(str, types))}")
        signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
        if key is not None and not any(key.signed(one, signed) for one in signatures):
            self.report.wrong("manifest", "the manifest is not signed by the key, or was changed since")
        about = self.report.about
        self.report.told["manifest"] = f"sealed {about.get('created')} by {about.get('made_by')}"

    def checkpoint(self, key: Key | None) -> Note | None:
        """Check 5."""
        note = self.note("checkpoint", key)
        if note is None:
            return None
        about = self.report.about
        if (note.origin, note.size, note.root.hex()) != (about.get("origin"), about.get("size"), about.get("root")):
            self.report.wrong("checkpoint", "the checkpoint is not the one that the manifest names")
        self.report.told["checkpoint"] = f"{note.size} events of {note.origin}, root {note.root.hex()[:16]}"
        return note

    def note(self, name: str, key: Key | None) -> Note | None:
        """Return a checkpoint that ``key`` signed, None if it cannot be believed."""
        data = self.get(name)
        if data is None:
            self.report.wrong("checkpoint", f"there is no {name}: nothing vouches for any event")
            return None
        try:
            note = parse_note(data)
        except WrongError as error:
            self.report.wrong("checkpoint", f"{name} cannot be believed: {error}")
            return None
        if key is None:
            return note
        signatures = note.by(key)
        if note.origin != key.name:
            self.report.wrong("checkpoint", f"{name} is of the log {note.origin!r}, and the key of {key.name!r}")
        elif not signatures or not all(key.signed(one, note.body.encode()) for one in signatures):
            self.report.wrong("checkpoint", f"{name} is not signed by the key, or was changed since")
        else:
            return note
        return None

    def witnesses(self, key: Key | None, note: Note | None) -> None:
        """Check 6."""
        own = self.get("keys/witnesses.policy")
        try:
            theirs = parse_policy(own.decode("utf-8", "replace")) if own is not None else None
        except WrongError as error:
            self.report.wrong("cosigned", f"keys/witnesses.policy: {error}")
            return
        policy = self.policy or theirs
        one = note
        if "cosigned" in self.archive.members:
            one = self.note("cosigned", key)
            self.consistent(one, note)
        if policy is None or one is None:
            self.report.lacking["cosigned"] = "no witness is named"
            return
        for name, witness in policy.witnesses.items():
            try:
                when = cosigned(one, witness)
            except WrongError as error:
                self.report.wrong("cosigned", str(error))
                continue
            if when:
                self.report.cosigned[name] = when
        self.report.covered = one.size if self.report.cosigned else 0
        enough = policy.enough(set(self.report.cosigned))
        by = ", ".join(sorted(self.report.cosigned)) or "nobody"
        whose = "your policy" if self.policy else "the bundle's own policy: --policy with yours proves more"
        if self.policy is not None and self.policy == theirs:
            whose = "the policy you gave is the same as the bundle carries: it proves nothing by itself"
            self.report.carried.append("policy")
        self.report.near = {name: where for name, where in policy.near().items() if name in self.report.cosigned}
        self.report.told["cosigned"] = f"the first {one.size} events, by {by} ({whose})"
        if self.policy is not None:
            self.report.quorum = "yes" if enough else "no"
            if not enough:
                self.report.wrong("cosigned", f"cosigned by {by}, which is not the quorum {policy.quorum!r}")

    def consistent(self, old: Note | None, new: Note | None) -> None:
        """Check 6, for a cosigned checkpoint that is older than the bundle's."""
        data = self.get("cosigned.consistency")
        if old is None or new is None:
            return
        try:
            path = [unbase64(line) for line in (data or b"").decode("ascii").splitlines()]
        except ValueError:
            path = []
        if data is None or not extends(path, old, new):
            self.report.wrong("cosigned", "the checkpoint does not extend the one that witnesses cosigned")

    def every_event(self, note: Note | None) -> None:
        """Checks 7 and 8."""
        text = self.get("checkpoint")
        for name in self.archive.members:
            found = _LEAF.fullmatch(name)
            if not found:
                continue
            index = int(found.group(1))
            leaf = self.get(name) or b""
            try:
                self.events[index] = read_event(index, leaf)
            except WrongError as error:
                self.report.wrong("event", f"event {index} {error}")
            proof = self.get(f"events/{index}.tlog-proof")
            try:
                if note is not None:
                    check_proof(proof, text or b"", index, note, leaf)
            except WrongError as error:
                self.report.wrong("proof", f"event {index} {error}")
        count = len(self.events)
        self.report.told["event"] = f"{count} events"
        self.report.told["proof"] = f"each of the {count} is in the log that the checkpoint is of"
        if self.report.about.get("events") not in (None, count):
            self.report.wrong("event", f"the manifest speaks of {self.report.about['events']} events, {count} are here")

    def sources(self) -> None:
        """Check 9."""
        by: dict[tuple[str, int], Event] = {}
        for index, event in sorted(self.events.items()):
            name, number = event.source
            if event.source in by:
                self.report.wrong("source", f"event {index} is number {number} of {name}, and so is another")
            by[event.source] = event
        pairs = 0
        for index, event in sorted(self.events.items()):
            name, number = event.source
            before = by.get((name, number - 1))
            pairs += before is not None
            if before is not None and before.hashed.hex() != event.before:
                self.report.wrong("source", f"the event of {name} before event {index} is not the one that is here")
        gaps = sum(1 for event in self.events.values() if event.source[1] > 0) - pairs
        told = f"{pairs} events follow the one before of their source; {gaps} times events between are not in here"
        self.report.told["source"] = told

    def opened(self, note: Note | None) -> None:
        """Check 10."""
        if 0 not in self.events or note is None:
            self.report.lacking["opened"] = "the log's first event is not here"
            return
        first = parse_json(self.archive.read("events/0.json"))
        if (first.get("kind"), first.get("origin")) != ("record.opened", note.origin):
            self.report.wrong("opened", "the log's first event does not open this log")
        elif self.report.vkey and str(first.get("vkey", "")).strip() != self.report.vkey:
            self.report.wrong("opened", "the log was opened under another key")
        self.report.told["opened"] = "the log's first event names this log and this key"

    def disclosed(self) -> None:
        """Checks 11 and 12."""
        kept: set[tuple[int, str]] = set()
        for name in self.archive.members:
            if found := _DISCLOSED.fullmatch(name):
                kept.add(self.content(name, int(found.group(1))))
            elif found := _BESIDE.fullmatch(name):
                index, data = int(found.group(1)), self.get(name) or b""
                kept.add((index, "beside"))
                if index not in self.events or hashlib.sha256(data).hexdigest() != self.events[index].beside:
                    self.report.wrong("disclosed", f"what lies beside event {index} is not what was recorded")
        self.report.told["disclosed"] = f"{len(kept)} pieces of content and of what lay beside events"
        held, count = self.held(), 0
        for index, event in sorted(self.events.items()):
            promised = [(at, "content") for at in event.content] + ([("beside", "beside")] if event.beside else [])
            for at, what in promised:
                if (index, at) in kept:
                    continue
                count += 1
                if (index, what) not in held:
                    self.report.wrong("held", f"{what} of event {index} is neither here nor said to be held back")
        self.report.told["held"] = f"{count} pieces were held back, as redactions.json says"

    def content(self, name: str, index: int) -> tuple[int, str]:
        """Check 11, for one piece of content; return the event that promised it, and where in it."""
        at = ""
        try:
            said = parse_json(self.get(name) or b"")
            at, promising = str(said["at"]), said["event"]
            digest = hashlib.sha256(_CONTENT + unbase64(said["salt"]) + unbase64(said["content"])).hexdigest()
        except (WrongError, ValueError, TypeError, KeyError):
            self.report.wrong("disclosed", f"{name} cannot be read")
            return index, at
        event = self.events.get(index)
        if promising != index or event is None or event.content.get(at) != digest:
            self.report.wrong("disclosed", f"{name} is not what event {index} promised")
        return index, at

    def held(self) -> set[tuple[int, str]]:
        """Return what redactions.json says was held back: events and what of them."""
        data = self.get("redactions.json")
        try:
            said = parse_json(data or b"")
            return {(n, str(one["what"])) for one in said["held"] for n in spans(one["events"])}
        except (WrongError, ValueError, TypeError, KeyError):
            self.report.wrong("held", "redactions.json is missing or cannot be read")
            return set()

    def tiles(self, note: Note | None) -> None:
        """Check 13."""
        if not any(name.startswith("tile/") for name in self.archive.members):
            self.report.lacking["tiles"] = "none are here"
            return
        hashes: list[bytes] = []
        size = note.size if note else 0
        for number in range(-(-size // _TILE)):
            width = min(_TILE, size - number * _TILE)
            name = f"tile/0/{tile_path(number)}" + ("" if width == _TILE else f".p/{width}")
            data = self.get(name)
            if data is None or len(data) != 32 * width:
                self.report.wrong("tiles", f"{name} is missing or of another size")
                return
            hashes += [data[at : at + 32] for at in range(0, len(data), 32)]
        if note is not None and root_of(hashes) != note.root:
            self.report.wrong("tiles", "the tiles do not hash to the root of the checkpoint")
        for index, event in self.events.items():
            if index < size and hashes[index] != event.hashed:
                self.report.wrong("tiles", f"event {index} is not what stands at its place in the tiles")
        self.report.told["tiles"] = f"the hashes of all {size} events are here, and make the root"

    def files(self) -> None:
        """Check 4, for what no other check has read, and for what is missing."""
        for name in self.archive.members:
            if name not in self._read:
                self.get(name)
        for name in sorted(set(self._digests) - set(self.archive.members)):
            self.report.wrong("files", f"{name} is in the manifest and not in the bundle")
        self.report.told["files"] = f"{len(self._digests)} files are what the manifest names"
