"""Whatever is written to the charters' folder: what does not validate never comes into force, what is in force stays.

A machine edits, breaks, signs and deletes charters and changes whose signatures count, at random, and holds what is in
force against what it knows of the files: which versions were ever fit, and which have to be in force now.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from outrider import config
from outrider.charter.parse import parse
from outrider.charter.seal import sign, written
from outrider.config import Config, Home, Signing, save_config
from outrider.daemon import charter_files, charters
from outrider.daemon.charters import Charters
from outrider.errors import CharterError
from outrider.events.codec import decode, decode_beside
from outrider.events.record import CharterLoaded, CharterRefused
from outrider.gate.scribe import Scribe
from outrider.gate.state import State, fold

NAMES = ("a", "b", "c", "d")
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3)]
BROKEN = (
    "",
    "[charter\n",
    "[charter]\nname = 3\n",
    '[charter]\nname = "{name}"\nttl = "soon"\n',
    '[charter]\nname = "somebody-else"\n',
    '[charter]\nname = "{name}"\n[may]\nfly = ["*"]\n',
    '[charter]\nname = "{name}"\n[may]\nread = ["no/start"]\n',
    '[charter]\nname = "{name}"\nextends = "{name}"\n',
    '[charter]\nname = "{name}"\nbudget = {{ tokens = -1 }}\n',
    '[charter]\nname = "{name}"\n[cedar]\npolicies = "permit (principal, action, resource) when {{ context.no }};"\n',
    "\x00",
)


class Log:
    """A record in memory."""

    def __init__(self):
        self.entries = []

    @property
    def size(self):
        return len(self.entries)

    def append(self, build, *, seal=False):
        self.entries.append(build(len(self.entries)))
        return len(self.entries) - 1


class InForce(RuleBasedStateMachine):
    """The machine."""

    steps = 0

    @initialize()
    def begin(self):
        self.top = tempfile.TemporaryDirectory(prefix="in-force")
        self.home = Home(Path(self.top.name) / "o")
        self.home.make()
        empty = Path(self.top.name) / "builtin"
        empty.mkdir()
        self.patch = pytest.MonkeyPatch()
        for module in (charters, charter_files, config):
            self.patch.setattr(module, "builtin_charters", lambda: empty)
        self.files = {}
        self.signatures = {}
        self.signing = (False, ())
        self.expected = {}
        self.fit = set()
        self.log = Log()
        self.count = itertools.count(1)
        self.configure(demanded=False, counting=frozenset({0}))
        self.open(State())

    def teardown(self):
        if hasattr(self, "patch"):
            self.patch.undo()
            self.top.cleanup()

    def open(self, state):
        self.state = state
        self.now = next(self.count)
        self.charters = Charters(self.home, Scribe(self.log, state, b"k" * 32, lambda: self.now), state, {})

    def path(self, name):
        return self.home.charters / f"{name}.toml"

    # What the model says.

    def own_right(self, name):
        """The version in a file if it parses, is named as its file, and its signature counts; else None."""
        try:
            one = parse(self.files[name])
        except CharterError:
            return None
        demanded, counting = self.signing
        if one.name != name:
            return None
        if name not in self.signatures:
            return None if demanded else one
        signer, digest = self.signatures[name]
        return one if signer in counting and digest == one.digest else None

    def settled(self):
        """What has to be in force now, by name: the least is refused that leaves every line standing."""
        new = {name: one for name in self.files if (one := self.own_right(name)) is not None}
        stays = {name: one for name, one in self.expected.items() if name in self.files and name not in new}
        while True:
            now = {**stays, **new}
            lost = {one.extends for one in now.values()} - set(now) - {""}
            back = {name: self.expected[name] for name in lost if name in self.expected}
            if back:
                stays |= back
                continue
            at_fault = [name for name, one in new.items() if one.extends in lost or self.circles(now, name)]
            if not at_fault:
                return now
            for name in at_fault:
                del new[name]
                if name in self.expected:
                    stays[name] = self.expected[name]

    @staticmethod
    def circles(now, name):
        above, seen = now[name].extends, set()
        while above in now and above not in seen:
            if above == name:
                return True
            seen.add(above)
            above = now[above].extends
        return False

    def look(self):
        """The daemon looks at its files; hold what it makes of them against the model."""
        self.now = next(self.count)
        for name in self.files:
            one = self.own_right(name)
            if one is not None:
                self.fit.add(one.digest)
        before = len(self.log.entries)
        held = set(self.charters.names)
        self.charters.refresh()
        self.expected = self.settled()
        assert {name: self.charters.get(name) for name in self.charters.names} == self.expected
        fresh = [decode(leaf) for leaf, _ in self.log.entries[before:]]
        assert all(event.digest in self.fit for event in fresh if isinstance(event, CharterLoaded))
        refused = {event.name for event in fresh if isinstance(event, CharterRefused)}
        assert refused <= set(self.charters.refused)
        assert held - set(self.charters.names) <= {name for name in NAMES if name not in self.files}

    # What happens.

    @rule(
        name=st.sampled_from(NAMES),
        extends=st.sampled_from(["", *NAMES, "nobody"]),
        hours=st.integers(1, 3),
        signer=st.none() | st.integers(0, 2),
    )
    def somebody_writes_a_charter(self, name, extends, hours, signer):
        above = f'extends = "{extends}"\n' if extends and extends != name else ""
        self.write(name, f'[charter]\nname = "{name}"\n{above}ttl = "{hours}h"\n')
        if signer is not None:
            self.somebody_signs(name, signer)
        self.look()

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from(BROKEN))
    def somebody_breaks_a_charter(self, name, text):
        self.write(name, text.format(name=name))
        self.look()

    @rule(names=st.permutations(NAMES))
    def somebody_makes_a_circle(self, names):
        one, other = names[:2]
        for name, above in ((one, other), (other, one)):
            self.write(name, f'[charter]\nname = "{name}"\nextends = "{above}"\n# {next(self.count)}\n')
        self.look()

    @rule(name=st.sampled_from(NAMES), signer=st.integers(0, 2))
    def somebody_signs_a_charter(self, name, signer):
        self.somebody_signs(name, signer)
        self.look()

    @rule(name=st.sampled_from(NAMES))
    def somebody_takes_a_signature_away(self, name):
        if self.signatures.pop(name, None) is not None:
            self.path(name).with_name(f"{name}.toml.sig").unlink()
        self.look()

    @rule(name=st.sampled_from(NAMES))
    def somebody_deletes_a_charter(self, name):
        if self.files.pop(name, None) is not None:
            self.path(name).unlink()
        self.look()

    @rule(demanded=st.booleans(), counting=st.frozensets(st.integers(0, 2), min_size=1))
    def a_person_says_whose_signatures_count(self, demanded, counting):
        self.configure(demanded=demanded, counting=counting)
        self.look()

    @rule(text=st.sampled_from(["signed = ", '[charters]\nkeys = ["x"]\n', "[charters]\nsigned = 3\n", "\xff"]))
    def the_configuration_breaks(self, text):
        self.home.config.write_bytes(text.encode("latin-1"))
        self.look()

    @rule(how=st.sampled_from(["fold", "snapshot"]))
    def the_daemon_restarts(self, how):
        if how == "snapshot":
            again, _, _ = State.load(self.state.dump(self.log.size, b"root"))
        else:
            again = fold(State(), ((decode(leaf), decode_beside(blob), "") for leaf, blob in self.log.entries))
        assert (again.in_force, again.signers) == (self.state.in_force, self.state.signers)
        demanded, counting = self.signing
        self.configure(demanded=demanded, counting=frozenset(counting))
        before = dict(self.expected)
        self.open(again)
        self.look()
        assert self.expected == before

    def write(self, name, text):
        self.path(name).write_text(text + f"# {next(self.count)}\n" * bool(text.startswith("[charter]")))
        self.files[name] = self.path(name).read_text()

    def somebody_signs(self, name, signer):
        try:
            one = parse(self.files.get(name, ""))
        except CharterError:
            return
        self.path(name).with_name(f"{name}.toml.sig").write_bytes(sign(one, KEYS[signer]))
        self.signatures[name] = (signer, one.digest)

    def configure(self, *, demanded, counting):
        keys = tuple(written(KEYS[n].public_key()) for n in sorted(counting))
        save_config(self.home, Config(charters=Signing(signed=demanded, keys=keys)))
        self.signing = (demanded, counting)

    @invariant()
    def every_line_in_force_stands_and_was_once_fit(self):
        type(self).steps += 1
        if not hasattr(self, "charters"):
            return
        for name in self.charters.names:
            assert self.charters.get(name).digest in self.fit
            if self.expected[name].extends in self.expected or not self.expected[name].extends:
                continue
            raise AssertionError(f"{name} extends what is not in force")


def test_what_does_not_validate_never_comes_into_force_and_what_is_in_force_stays():
    """At least 5,000 steps: 100 games of 60."""
    InForce.steps = 0
    run_state_machine_as_test(InForce, settings=settings(max_examples=100, stateful_step_count=60, deadline=None))
    assert InForce.steps >= 5_000
