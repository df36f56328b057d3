"""Ways to change a record, and what a verifier has to say of each: the table of the suite.

A case is played against three situations, which differ in what the attacker has and what the verifier knows:

``no-key``
    The attacker writes every file of the record. The verifier knows the log's key.
``key``
    The attacker has the log's key as well. The verifier knows the log's key and nothing else.
``key-and-witnesses``
    The attacker has the log's key. The verifier knows the log's key and a policy of two witnesses that cosigned the
    record's first 80 %, demands both, and asks them what they cosigned last.

The attacker is the best there is: numbers, chains of sources, digests, checksums and tiles are made anew around what
was changed. What one without that care leaves behind is found as well, and earlier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tamper.folders import LOG, SEED, STRANGER, WITNESSES, Honest, Told
from tamper.formats import WITNESS, Signer, note_body
from tamper.history import ERASED, KEPT, Happened, ciphertext, happened

SITUATIONS = ("no-key", "key", "key-and-witnesses")
Situation = Literal["no-key", "key", "key-and-witnesses"]
Verdict = Literal["accepted", "refused"]

REFUSED, ACCEPTED = "refused", "accepted"
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Case:
    """One way to change a record.

    Attributes:
        name: Its name, and that of its folder.
        what: What is done, one sentence.
        tell: Returns the record that is shown, for an attacker with the log's key or without.
        verdicts: What a verifier has to say, by situation in the order of :data:`SITUATIONS`.
        offline: What it has to say in the third one if it cannot ask the witnesses.
        why: Where ``accepted`` is the verdict on something that was changed: why nobody can know better.
    """

    name: str
    what: str
    tell: Callable[[Honest, bool], Told]
    verdicts: tuple[Verdict, Verdict, Verdict]
    offline: Verdict = "refused"
    why: str = ""


def _shown(honest: Honest, tail: list[Happened], *, key: bool) -> Told:
    """Return a record of these events: signed anew with the key, else under the honest checkpoint as it is."""
    cosigned = honest.cosigned(honest.places.cosigned)
    if key:
        return Told(tail, cosigned=cosigned)
    return Told(tail, cosigned=cosigned, checkpoint=honest.places.size, signed=False)


def _tail(honest: Honest) -> list[Happened]:
    return list(honest.tail)


def _at(honest: Honest) -> int:
    return honest.places.at - honest.places.stem


def _changed(one: Happened, **fields: object) -> Happened:
    return one[0] | fields, one[1]


def _moved(tail: list[Happened], behind: int, by: int) -> list[Happened]:
    """Let what names an event behind an insertion or a deletion name it where it is now."""
    return [(_follows(event, behind, by), beside) for event, beside in tail]


def _follows(event: dict[str, Any], behind: int, by: int) -> dict[str, Any]:
    def now(index: int) -> int:
        return index + by if index >= behind else index

    moved = dict(event)
    if "intent" in event:
        moved["intent"] = now(event["intent"])
    if "kept" in event:
        moved["kept"] = [one | {"of": now(one["of"])} for one in event["kept"]]
    if "events" in event:
        moved["events"] = [now(one) for one in event["events"]]
    return moved


def honest(one: Honest, key: bool) -> Told:  # noqa: ARG001 - one shape for all
    return Told(_tail(one), cosigned=one.cosigned(one.places.cosigned))


def edit(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    tail[at] = _changed(tail[at], name="Glob")
    return _shown(one, tail, key=key)


def flip(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    tail[at] = _changed(tail[at], decision={"verdict": "allow", "enforced": "allow"})
    return _shown(one, tail, key=key)


def delete(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    return _shown(one, tail[:at] + _moved(tail[at + 1 :], one.places.at, -1), key=key)


def alibi(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    made_up = _changed(happened(SEED + 1, one.places.at, "", ""), ts=tail[at][0]["ts"] + 1)
    return _shown(one, [*tail[: at + 1], made_up, *_moved(tail[at + 1 :], one.places.at + 1, 1)], key=key)


def reorder(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    tail[at - 1], tail[at] = tail[at], tail[at - 1]
    return _shown(one, tail, key=key)


def truncate(one: Honest, key: bool) -> Told:
    return _shown(one, _tail(one)[: _at(one)], key=key)


def cut_segment(one: Honest, key: bool) -> Told:
    places = one.places
    first = places.at - (places.at - places.stem) % places.segment
    if not key:
        told = _shown(one, _tail(one), key=False)
        told.cut = first
        return told
    tail, at = _tail(one), first - places.stem
    return _shown(one, tail[:at] + _moved(tail[at + places.segment :], first, -places.segment), key=True)


def rewrite(one: Honest, key: bool) -> Told:
    signer = LOG if key else STRANGER
    places = one.places
    tail = [happened(SEED + 1, n, signer.name, signer.vkey) for n in range(places.stem, places.size)]
    return Told(tail, seed=SEED + 1, signer=signer, cosigned=one.cosigned(places.cosigned))


def _forked(one: Honest) -> tuple[list[Happened], str]:
    """Return another history from the tampered event on, and the body of its checkpoint at the cosigned size."""
    tail, at = _tail(one), _at(one)
    tail[at] = _changed(tail[at], decision={"verdict": "allow", "enforced": "allow"})
    size = one.places.cosigned
    return tail, note_body(LOG.name, size, one.roots_of(tail)[size])


def fork(one: Honest, key: bool) -> Told:
    tail, body = _forked(one)
    told = _shown(one, tail, key=key)
    if key:
        told.cosigned = told.second = f"{body}\n{LOG.signs(body)}{WITNESSES[1].cosigns(body, one.seconds)}"
    return told


def rollback(one: Honest, key: bool) -> Told:  # noqa: ARG001
    size = one.places.backup
    return Told(_tail(one)[: size - one.places.stem], cosigned=one.cosigned(size))


def splice(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    tail[at : at + 2] = [happened(SEED + 7, one.places.at + n, "", "") for n in range(2)]
    return _shown(one, tail, key=key)


def swap_besides(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    tail[at], tail[at + 1] = (tail[at][0], tail[at + 1][1]), (tail[at + 1][0], tail[at][1])
    return _shown(one, tail, key=key)


def drop_beside(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    tail[at] = tail[at][0], b""
    return _shown(one, tail, key=key)


def replay_checkpoint(one: Honest, key: bool) -> Told:  # noqa: ARG001 - the key is not needed
    tail, at = _tail(one), one.places.backup - one.places.stem + 1
    tail[at] = _changed(tail[at], ts=tail[at][0]["ts"] + 1)
    return Told(tail, cosigned=one.cosigned(one.places.cosigned), checkpoint=one.places.backup, signed=False)


def forged_cosignature(one: Honest, key: bool) -> Told:
    tail, body = _forked(one)
    told = _shown(one, tail, key=key)
    lines = [_forged(witness, body, one.seconds) for witness in WITNESSES]
    told.cosigned = f"{body}\n{LOG.signs(body) if key else STRANGER.signs(body)}{''.join(lines)}"
    return told


def _forged(witness: Signer, body: str, seconds: int) -> str:
    """Return a line that names a witness's key and was signed with another."""
    return witness.cosigns(body, seconds, Signer(witness.name, WITNESS, "forged"))


def confused_keys(one: Honest, key: bool) -> Told:
    """The second witness cosigned; a stranger did under the first one's name, and the log's own key under its own."""
    tail, body = _forked(one)
    told = _shown(one, tail, key=key)
    stranger = Signer(WITNESSES[0].name, WITNESS, "a stranger of the same name")
    as_witness = Signer(LOG.name, WITNESS)
    lines = [who.cosigns(body, one.seconds) for who in (stranger, as_witness, WITNESSES[1])]
    told.cosigned = f"{body}\n{LOG.signs(body) if key else STRANGER.signs(body)}{''.join(lines)}"
    return told


def drop_cosigned(one: Honest, key: bool) -> Told:
    told = flip(one, key)
    told.cosigned = None
    return told


def timestamps(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), _at(one)
    tail[at:] = [_changed(each, ts=each[0]["ts"] + HOUR) for each in tail[at:]]
    return _shown(one, tail, key=key)


def edit_in_window(one: Honest, key: bool) -> Told:
    tail, at = _tail(one), one.places.cosigned - one.places.stem
    tail[at] = _changed(tail[at], ts=tail[at][0]["ts"] + 1)
    return _shown(one, tail, key=key)


def truncate_in_window(one: Honest, key: bool) -> Told:
    return _shown(one, _tail(one)[: one.places.cosigned - one.places.stem], key=key)


def truncate_unsealed(one: Honest, key: bool) -> Told:  # noqa: ARG001 - the key is not needed
    size = one.places.size - 1
    return Told(_tail(one)[:-1], cosigned=one.cosigned(one.places.cosigned), checkpoint=size, signed=False)


def _contents(one: Honest) -> dict[int, bytes]:
    """Return the ciphertexts that are kept of the events behind the stem."""
    found = {}
    for event, _ in one.tail:
        for kept in event.get("kept", ()):
            if kept["of"] % 10 != ERASED:
                found[kept["of"]] = ciphertext(SEED, kept["of"])
    return found


def _around(one: Honest) -> int:
    """Return the first of the ten events that the tampered one is among."""
    return one.places.at - one.places.at % 10


def contents(one: Honest, key: bool) -> Told:
    told = honest(one, key)
    told.contents = _contents(one)
    return told


def swap_contents(one: Honest, key: bool) -> Told:
    tail, first = _tail(one), _around(one)
    if key:  # Whoever can sign lets the event name them as they lie now.
        at = first + KEPT - one.places.stem
        names = [dict(each) for each in tail[at][0]["kept"]]
        names[0]["hash"], names[1]["hash"] = names[1]["hash"], names[0]["hash"]
        tail[at] = _changed(tail[at], kept=names)
    told = _shown(one, tail, key=key)
    told.contents = _contents(one)
    told.contents[first + 1], told.contents[first + 2] = told.contents[first + 2], told.contents[first + 1]
    return told


def erased_back(one: Honest, key: bool) -> Told:
    tail, first = _tail(one), _around(one)
    if key:  # Whoever can sign lets the erasure never have happened.
        at = first + KEPT + 1 - one.places.stem
        tail[at] = {"kind": "record.heartbeat", "ts": tail[at][0]["ts"], "src": {"id": "daemon"}, "living": 7}, b""
    told = _shown(one, tail, key=key)
    told.contents = _contents(one) | {first + ERASED: ciphertext(SEED, first + ERASED)}
    return told


_ALL: tuple[Verdict, Verdict, Verdict] = ("refused", "accepted", "refused")
_NONE: tuple[Verdict, Verdict, Verdict] = ("accepted", "accepted", "accepted")
_OPEN = "Whoever has the log's key signs another history, and nobody else saw the first one."
_BACKUP = "It is an honest record, only an older one: nothing in it says that there was more."
_WINDOW = "It happened after the last cosignature; until the next one the log's key alone vouches for it."
_UNSEALED = "It happened after the last checkpoint, which is made every second or 256 events."

CASES = (
    Case("honest", "Nothing was changed.", honest, _NONE, "accepted"),
    Case("edit-field", "A field of one event says something else.", edit, _ALL, why=_OPEN),
    Case("flip-decision", "A refusal reads as an allow.", flip, _ALL, why=_OPEN),
    Case("delete-event", "One event is gone.", delete, _ALL, why=_OPEN),
    Case("insert-alibi", "An event that never happened was put in.", alibi, _ALL, why=_OPEN),
    Case("reorder", "Two neighbours changed places.", reorder, _ALL, why=_OPEN),
    Case("move-timestamps", "From one event on, everything happened an hour later.", timestamps, _ALL, why=_OPEN),
    Case("truncate-tail", "The end is gone, what witnesses saw included.", truncate, _ALL, why=_OPEN),
    Case("cut-segment", "A whole segment in the middle is gone.", cut_segment, _ALL, why=_OPEN),
    Case("splice-other-log", "Two events were taken from another log.", splice, _ALL, why=_OPEN),
    Case(
        "swap-besides", "What lies beside two events, of the same length, was swapped.", swap_besides, _ALL, why=_OPEN
    ),
    Case("contents", "Nothing was changed, and contents lie beside the record.", contents, _NONE, "accepted"),
    Case(
        "swap-contents",
        "The ciphertexts of two contents, of the same length, were swapped.",
        swap_contents,
        _ALL,
        why=_OPEN,
    ),
    Case("erased-content-back", "Content that was erased is there again.", erased_back, _ALL, why=_OPEN),
    Case("drop-beside", "What lies beside an event is gone, and no erasure says so.", drop_beside, _ALL, why=_OPEN),
    Case("rewrite-all", "Everything was written anew, and signed.", rewrite, _ALL, why=_OPEN),
    Case("fork", "Each witness was shown a history of its own.", fork, _ALL, why=_OPEN),
    Case(
        "roll-back",
        "An older copy of the record, with all that lay in it, was put back.",
        rollback,
        ("accepted", "accepted", "refused"),
        "accepted",
        _BACKUP,
    ),
    Case(
        "replay-checkpoint",
        "An older checkpoint was put back, and an event behind it changed.",
        replay_checkpoint,
        ("accepted", "accepted", "refused"),
        why="Behind the last checkpoint nothing is signed; the report says how many events that are.",
    ),
    Case(
        "forged-cosignature",
        "Cosignatures name the witnesses' keys and are not theirs.",
        forged_cosignature,
        _ALL,
        why=_OPEN,
    ),
    Case("witness-key-confusion", "A stranger cosigned under a witness's name.", confused_keys, _ALL, why=_OPEN),
    Case(
        "drop-cosigned", "A decision was flipped, and the cosigned checkpoint removed.", drop_cosigned, _ALL, why=_OPEN
    ),
    Case(
        "edit-after-cosignature",
        "An event that no witness saw yet was changed.",
        edit_in_window,
        ("refused", "accepted", "accepted"),
        "accepted",
        _WINDOW,
    ),
    Case(
        "truncate-after-cosignature",
        "What no witness saw yet is gone.",
        truncate_in_window,
        ("refused", "accepted", "accepted"),
        "accepted",
        _WINDOW,
    ),
    Case(
        "truncate-after-checkpoint",
        "The last event, which no checkpoint covered yet, is gone.",
        truncate_unsealed,
        ("accepted", "accepted", "accepted"),
        "accepted",
        _UNSEALED,
    ),
)
