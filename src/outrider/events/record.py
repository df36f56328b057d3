"""The entries of the record: one frozen type a kind, and what lies beside each.

An event is a leaf of the Merkle log. It never holds content (prompts, arguments, outputs) and never a person's name:
content is a salted commitment, a person is a pseudonymous id. What must be findable but erasable (entities,
fingerprints, salts, names) lies in the :class:`Beside` of the same index, whose digest the leaf carries.

Times: ``ts`` is wall-clock microseconds since 1970 UTC and may jump; ``n`` is the order that counts.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from outrider.events.asked import Answered, Asked
from outrider.events.attestation import Attestation
from outrider.events.call import Effect, Finding, Label
from outrider.events.case import CaseNoted
from outrider.events.content import Commitment, ContentErased, ContentKept, ContentRead, Sealed
from outrider.events.counters import Counters
from outrider.events.credential import CredentialIssued, CredentialUsed, IssuerKey
from outrider.events.decision import Decision
from outrider.events.deeds import Deeds
from outrider.events.event import Event
from outrider.events.held import Held
from outrider.events.imported import TranscriptRead
from outrider.events.model_input import ModelInput
from outrider.events.sensor import SensorState


class Entity(msgspec.Struct, frozen=True, array_like=True):
    """A thing in the world that an event touched, normalised so that spellings of the same thing meet.

    Attributes:
        role: ``read wrote deleted sent installed committed pushed spawned called mentioned credential ran reached``
            or ``is`` (the agent itself: session, pid, host).
        kind: ``path digest host ip email url commit branch repo package secret session pid tool credential``.
        value: The normal form. A secret is its keyed print; a URL with a path is a keyed print.
    """

    role: str
    kind: str
    value: str


class Beside(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lies beside a leaf: findable, erasable, never part of the tree but by its digest.

    Attributes:
        entities: What was touched.
        prints: Keyed 8-byte fingerprints of the content's salient tokens, concatenated, sorted.
        control: The same for the control arguments of a call (where it goes, what it names), not its payload.
        salt: Salt of the leaf's content commitment, 32 bytes.
        said: Keyed 6-byte prints of the values that a prompt or a result names, concatenated, by where they stand:
            ``user``, ``field``, ``text``, ``order``, ``secret`` (see :mod:`outrider.flow.origins`); ``asks``: the acts
            that it asks for. Of a call: the values that it is given, ``whole`` and ``part`` of those that steer it,
            ``carried``, and ``acts``, what it is.
        private: Names behind pseudonyms and absolute places, by field name. For a birth: ``sponsor``, ``human``,
            ``home``, ``repo``, ``cwd``, ``hostname``, ``exe``, ``account``.
        sealed: ``salt`` and ``private`` as they lie in the journal: under the keys of whom they are about.
    """

    entities: tuple[Entity, ...] = ()
    prints: bytes = b""
    control: bytes = b""
    salt: bytes = b""
    said: dict[str, bytes] = {}
    private: dict[str, str] = {}
    sealed: Sealed | None = None


class RecordOpened(Event, frozen=True, kw_only=True, tag="record.opened"):
    """The first event: this record, its origin line and its public key (``name+hash+base64``)."""

    origin: str
    vkey: str


class RecordRecovered(Event, frozen=True, kw_only=True, tag="record.recovered"):
    """On start the tail of the journal was torn and was cut.

    Attributes:
        cut: Bytes cut. They were never acknowledged.
        size: Number of events that remained.
    """

    cut: int
    size: int


class RecordGap(Event, frozen=True, kw_only=True, tag="record.gap"):
    """Something is known to be missing.

    Attributes:
        what: ``spool`` (a hook found no daemon and answered by its fallback), ``unseen-call`` (the host lists a call
            that was never asked), ``unreadable`` (a hook's input that no door could read), ``unjudged`` (something
            failed while it was judged, or it came while the daemon was starting), ``lost-result``, ``outage``,
            ``unseen-deeds`` (what an agent's processes did and was not heard of), ``ungoverned`` (the host's own
            transcript tells of calls that were never asked), ``model-input-unseen`` (the host's transcript cannot be
            read, so that nobody sees what the model is sent), ``clock`` (the wall clock jumped while a daemon ran:
            what follows is dated by what it shows now, and lives and pauses end as much later or sooner).
        count: How many.
        since: Start of the span; for ``clock`` what it would have shown, microseconds since 1970 UTC, 0 if unknown.
        until: End of the span, or 0; for ``clock`` what it shows.
        answered: What the agent was told meanwhile: ``deny``, ``ask``, ``allow``, or empty.
        detail: For a person; redacted.
        door: The door that it is about, or empty where none is known.
    """

    what: str
    count: int
    since: int = 0
    until: int = 0
    answered: str = ""
    detail: str = ""
    door: str = ""


class DaemonStarted(Event, frozen=True, kw_only=True, tag="daemon.started"):
    """A daemon took the record over. ``snapshot`` says how the state was had: ``none``, ``loaded``, ``rebuilt``.

    After ``heartbeat`` seconds of silence it says that it lives; 0 in records of versions that did not tell.
    """

    version: str
    pid: int
    boot: str
    snapshot: str = "none"
    heartbeat: int = 0


class DaemonStopped(Event, frozen=True, kw_only=True, tag="daemon.stopped"):
    """A daemon ended in good order. A start without a stop before it means that one was killed."""

    reason: str


class Heartbeat(Event, frozen=True, kw_only=True, tag="record.heartbeat"):
    """The daemon was alive and had nothing else to say; makes silence visible. ``living`` counts agents."""

    living: int


class CharterLoaded(Event, frozen=True, kw_only=True, tag="charter.loaded"):
    """A charter version is in force for births from now on.

    Attributes:
        name: Its name.
        digest: ``sha256:`` and hex of its canonical form.
        signer: Key id that signed it, ``builtin``, or empty for unsigned.
        source: The canonical form itself, so that the record can answer "which rules were in force".
        groups: What ``@registries`` and its kin expanded to on this host.
    """

    name: str
    digest: str
    signer: str
    source: str
    groups: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - a struct's default is copied


class CharterRefused(Event, frozen=True, kw_only=True, tag="charter.refused"):
    """A charter did not validate; the last good version, if there is one, stays in force."""

    name: str
    reason: str
    in_force: str = ""


class CharterRemoved(Event, frozen=True, kw_only=True, tag="charter.removed"):
    """A charter's file is gone, and nobody is born under it any more; those who live under it stay bound to it.

    Attributes:
        name: Its name.
        digest: The version that was in force.
    """

    name: str
    digest: str


class AgentBorn(Event, frozen=True, kw_only=True, tag="agent.born"):
    """An agent exists from now on. ``agent`` is its id.

    Attributes:
        charter: Name of its charter.
        digest: The charter version that it is bound to for life.
        chain: Digests of every policy set that bounds it, its own first, the root's last, the floor left out.
        parent: Its parent's id, or empty for a root.
        root: The root of its lineage (itself for a root).
        depth: 0 for a root.
        sponsor: Pseudonymous id of the human or team answerable for it.
        purpose: Why it was made, as far as the host says; redacted, at most 200 characters.
        how: ``session``, ``subagent``, ``descendant``, ``run``, ``spawn``: how we learnt of it.
        door: The door.
        session: The host's session id.
        host_agent: The host's sub-agent id, or empty.
        expires: When its life is over, microseconds since 1970 UTC.
        mode: ``enforce`` or ``observe``.
        labels: What it starts with.
        attested: What was attested.
        narrowed: Canonical form of the policy set that narrows it beside its charter, or empty. Its digest stands in
            the chain, behind those of its own line.
        token: Revocation id (hex) of the token's block that made it, or empty.
        held: How its process tree is held; None for an agent that no launcher of ours started.
        unmeasured: Limits of its budget (``tokens``, ``cost``) that nobody measures: its host does not tell.
    """

    charter: str
    digest: str
    chain: tuple[str, ...]
    parent: str
    root: str
    depth: int
    sponsor: str
    how: str
    door: str
    session: str
    expires: int
    purpose: str = ""
    host_agent: str = ""
    mode: Literal["enforce", "observe"] = "enforce"
    labels: tuple[Label, ...] = ()
    attested: Attestation = Attestation()
    narrowed: str = ""
    token: str = ""
    held: Held | None = None
    unmeasured: tuple[str, ...] = ()


class AgentEnded(Event, frozen=True, kw_only=True, tag="agent.ended"):
    """An agent is gone: ``completed``, ``killed``, ``expired``, ``vanished`` or ``revoked``.

    ``detail`` is the host's word, or the reason of whoever revoked it. A revoked agent never comes back.
    """

    how: Literal["completed", "killed", "expired", "vanished", "revoked"]
    detail: str = ""


class AgentResumed(Event, frozen=True, kw_only=True, tag="agent.resumed"):
    """A known session goes on in a new host process, attested anew."""

    attested: Attestation = Attestation()


class AgentRolled(Event, frozen=True, kw_only=True, tag="agent.rolled"):
    """A living agent was moved to another version of its charter.

    The chains of all that descends from it change with its own; its life, its narrowing and its labels stay.

    Attributes:
        charter: Name of the charter.
        digest: The version that binds it from now on.
        line: Digests of that version and what it extends, its own first.
        before: The version that bound it until now.
        mode: ``enforce`` or ``observe``.
    """

    charter: str
    digest: str
    line: tuple[str, ...]
    before: str
    mode: Literal["enforce", "observe"] = "enforce"


class SessionJoined(Event, frozen=True, kw_only=True, tag="agent.joined"):
    """A host's session began in an agent's own process tree and is that agent's, not a child's.

    Attributes:
        door: The door.
        session: The host's session id.
        attested: The host process.
    """

    door: str
    session: str
    attested: Attestation = Attestation()


class AgentAttested(Event, frozen=True, kw_only=True, tag="agent.attested"):
    """What took too long to be known at a birth.

    Attributes:
        exe: SHA-256 of the executable of the agent's host process.
    """

    exe: str


class TokenIssued(Event, frozen=True, kw_only=True, tag="token.issued"):
    """An agent was given a delegation token that speaks for it.

    Attributes:
        id: Revocation id of its block, hex.
        expires: When it ends, microseconds since 1970 UTC.
    """

    id: str
    expires: int


class Refusal(Event, frozen=True, kw_only=True, tag="message.refused"):
    """A message was not believed: a forged result, birth or end, or one of another user.

    Attributes:
        reason: Why, one sentence.
        claimed: The session that it claimed to belong to.
        pid: The process that sent it.
    """

    reason: str
    claimed: str
    pid: int


class Prompted(Event, frozen=True, kw_only=True, tag="agent.prompted"):
    """The agent was given an instruction.

    Attributes:
        content: Commitment to its text.
        adds: Labels that it puts on the agent: ``secret`` where it holds one.
    """

    content: Commitment
    adds: tuple[Label, ...] = ()


class CallDecided(Event, frozen=True, kw_only=True, tag="call.decided"):
    """A call was asked for and judged. Durable before the answer leaves.

    Carries the full typed input of the policy, so that another policy can be replayed over it without parsing again.

    Attributes:
        call: The host's id of the call.
        tool: Normal tool.
        name: Host's own tool name.
        effects: What it would do; paths in the agent's home are written ``~/...``.
        findings: What detectors said.
        looked: What came of looking at the code that it writes: empty where all of it was looked at or there is none,
            ``fragment`` (what stands around it was not read), ``partly`` (some does not fit its language's grammar),
            ``too-large`` (only some 100,000 characters of it were looked at).
        labels: What the agent's context carried, labels of this call's own reads included.
        adds: Labels that this call puts on the agent if it runs: provisionally where it was allowed or a person was
            asked, and where the host did not obey a refusal.
        values: Labels of the call's own values, such as ``ordered-value``: they hold for this call alone.
        counters: For budgets.
        chain: Digests of the policy sets asked, own first.
        decision: The verdict.
        content: Commitment to the canonical arguments.
        cut: Number of effects left out because the leaf would have been too large; the worst are kept.
        us: Microseconds that judging took.
        permission: True for the host's own permission prompt rather than a call.
        corrects: Index of the refusal after which this call does the right thing, or -1.
        asked: That a person decides it, and what came of that.
    """

    call: str
    tool: str
    name: str
    effects: tuple[Effect, ...]
    decision: Decision
    chain: tuple[str, ...]
    content: Commitment
    findings: tuple[Finding, ...] = ()
    looked: str = ""
    labels: tuple[Label, ...] = ()
    adds: tuple[Label, ...] = ()
    values: tuple[str, ...] = ()
    counters: Counters = Counters()
    cut: int = 0
    us: int = 0
    permission: bool = False
    corrects: int = -1
    asked: Asked | None = None


class SecondLook(Event, frozen=True, kw_only=True, tag="code.second-look"):
    """A slower ``scanner`` (bandit, semgrep) looked at ``path``, that call ``intent``, let through before, writes.

    Attributes:
        findings: What it found on lines that the call adds and of which the first look had said nothing.
        cut: How many of those, the least severe, found no room.
        unlooked: Why nothing was looked at, or empty.
    """

    intent: int
    scanner: str
    path: str
    findings: tuple[Finding, ...] = ()
    cut: int = 0
    unlooked: str = ""


class DeedsSeen(Event, frozen=True, kw_only=True, tag="deeds.seen"):
    """What the processes of ``agent`` did in a span of time; ``findings`` are the deeds that nothing explains."""

    deeds: Deeds
    findings: tuple[Finding, ...] = ()


class CallResult(Event, frozen=True, kw_only=True, tag="call.result"):
    """A call's observed outcome.

    Attributes:
        call: The host's id of the call.
        intent: Index of the ``call.decided`` that it belongs to, or -1 if none was seen.
        ok: Whether the host says that it succeeded.
        content: Commitment to the output.
        adds: Labels that the output puts on the agent.
        ms: Milliseconds, or -1.
        despite: True if the call ran although it had been denied: the host did not obey.
        ran: False only where the host proves that the call never ran; a call that failed did run.
        gone: Paths that the call was to delete and that were found missing after it: the proof that what labels
            they carried is gone with them. Those in the agent's home are written ``~/...``.
    """

    call: str
    intent: int
    ok: bool
    content: Commitment
    adds: tuple[Label, ...] = ()
    ms: int = -1
    despite: bool = False
    ran: bool = True
    gone: tuple[str, ...] = ()


class HostNoted(Event, frozen=True, kw_only=True, tag="host.noted"):
    """The host told of something that is not ours to judge. ``known`` is False for an event we never heard of."""

    event: str
    known: bool = True


class LeverPulled(Event, frozen=True, kw_only=True, tag="lever.pulled"):
    """A person changed what is in force, or an agent stopped itself or its own children.

    Attributes:
        lever: ``pause``, ``resume``, ``quarantine``, ``release``, ``revoke`` or ``observe``.
        by: Pseudonymous id of who did it, or the id of the agent.
        why: Their reason; redacted.
        until: When it ends by itself, microseconds since 1970 UTC, or 0.
        scope: What it reaches: ``host``, or a kind and a name such as ``charter:coder`` (see
            :mod:`outrider.identity.levers`).
    """

    lever: str
    by: str
    why: str
    until: int = 0
    scope: str = "host"


class AskAnswered(Event, frozen=True, kw_only=True, tag="ask.answered"):
    """A person answered a question about a call of ``agent``."""

    answer: Answered


class AskTimedOut(Event, frozen=True, kw_only=True, tag="ask.timed-out"):
    """Time ran out: nobody answered the ``question`` about a call of ``agent``, and that is a no.

    ``unused`` is the index of a yes for once that ended because the call was not made again, or -1.
    """

    question: int
    unused: int = -1


class LabelsJoined(Event, frozen=True, kw_only=True, tag="labels.joined"):
    """Labels moved from one agent to another: a child's to its parent when its message came back."""

    labels: tuple[Label, ...]
    origin_agent: str


AnyEvent = (
    RecordOpened | RecordRecovered | RecordGap | DaemonStarted | DaemonStopped | Heartbeat
    | CharterLoaded | CharterRefused | AgentBorn | AgentEnded | AgentResumed | AgentRolled | AgentAttested | TokenIssued
    | Refusal | Prompted | CallDecided | SecondLook | CallResult | HostNoted | LeverPulled | LabelsJoined
    | SessionJoined | AskAnswered | AskTimedOut | CharterRemoved | CredentialIssued | CredentialUsed | IssuerKey
    | DeedsSeen | ContentKept | ContentErased | ContentRead
    | TranscriptRead | CaseNoted | ModelInput | SensorState
)  # fmt: skip
