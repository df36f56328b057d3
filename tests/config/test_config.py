import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.config import (
    MAX_CONFIG,
    Config,
    Daemon,
    Home,
    Http,
    Repository,
    SecondLooks,
    Signing,
    Sponsor,
    Timestamps,
    Witnesses,
    add_repository,
    load_config,
    parse_config,
    remove_repository,
    render_config,
    save_config,
)
from outrider.config.contact import Contact
from outrider.errors import BadInputError


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "o")
    made.make()
    return made


def of(*repositories):
    return Config(repositories=tuple(Repository(path=path, charter=charter) for path, charter in repositories))


def test_a_missing_file_is_an_empty_configuration(home):
    assert load_config(home) == Config()


def test_every_setting_can_be_written_and_read_again(home):
    config = Config(
        repositories=(Repository(path='/a "b"\\\n\x7f\u2028', charter="coder", mode="observe"),),
        sponsor=Sponsor(name="Team \N{SNOWMAN}"),
        contact=Contact(name="Security", email="security@shipyard.example", url="https://shipyard.example/sec"),
        http=Http(enabled=True, port=1, token_file="/t"),
        daemon=Daemon(idle=3, heartbeat=9),
        second_look=SecondLooks(tools=("bandit", "/opt/s/semgrep"), semgrep_rules="/r", seconds=9),
        charters=Signing(signed=True, keys=("ed25519:" + "A" * 43 + "=",)),
        witnesses=Witnesses(policy="/etc/w.policy", every=2, age=9),
        timestamps=Timestamps(url="https://tsa.example", roots="/etc/tsa.pem", every=7),
    )
    assert [name for name in Config.__struct_fields__ if getattr(config, name) == getattr(Config(), name)] == []
    save_config(home, config)
    assert load_config(home) == config
    assert stat.S_IMODE(home.config.stat().st_mode) == 0o600
    assert sorted(path.name for path in home.root.glob("*config*")) == ["config.toml"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(texts, texts.filter(bool), texts, st.sampled_from(["observe", "enforce"]))
def test_any_text_survives_the_file(path, charter, sponsor, mode):
    config = Config(
        repositories=(Repository(path=f"/x{path}".replace("..", ""), charter=charter, mode=mode),),
        sponsor=Sponsor(name=sponsor),
    )
    assert parse_config(render_config(config).encode()) == config


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("[http]\n\nport = 'x'", ":3:", "Expected `int`"),
        (
            "[[repositories]]\npath='/a'\ncharter='c'\n\n[[repositories]]\npath='/b'\ncharter='d'\nmode='zap'",
            ":8:",
            "zap",
        ),
        ('[contact]\nname = "a\\nb"', ":2:", "not one line"),
        ('[contact]\nemail = "nobody"', ":2:", "not an e-mail address"),
        ('[contact]\nurl = "javascript:x"', ":2:", "not a URL"),
        ("[daemon]\nfoo = 1", ":2:", "foo"),
        ("bogus = 1", ":1:", "bogus"),
        ("[http]\nport = 1\nport = 2", ":3:", "not TOML"),
        ("x =", ":1:", "not TOML"),
        ("[[repositories]]\npath = 'a'\ncharter = 'c'", ":2:", "not an absolute path"),
        ("[[repositories]]\npath = '/a/../b'\ncharter = 'c'", ":2:", "not an absolute path"),
        ("[[repositories]]\npath = '/a'\ncharter = ''", ":3:", "not a charter's name"),
        ("[[repositories]]\npath = '/a'", ":1:", "missing required field `charter`"),
        ("[http]\nport = 70000", ":2:", "not a TCP port"),
        ("[http]\ntoken_file = 't'", ":2:", "not an absolute path"),
        ("[daemon]\nidle = -1", ":2:", "not a number of seconds"),
        ("[daemon]\nheartbeat = 0", ":2:", "above 0"),
        ('[second_look]\ntools = ["bandits"]', ":", "neither bandit nor semgrep"),
        ('[second_look]\ntools = ["bin/bandit"]', ":", "neither bandit nor semgrep"),
        ('[second_look]\nsemgrep_rules = "rules.yml"', ":2:", "not an absolute path"),
        ("[second_look]\nseconds = 0", ":2:", "between 1 and 600"),
        ('[witnesses]\npolicy = "witnesses.policy"', ":2:", "not an absolute path"),
        ("[witnesses]\nevery = 0", ":2:", "not a number of seconds above 0"),
        ('[timestamps]\nurl = "https://t.example"\nroots = "tsa.pem"', ":", "not an absolute path"),
        ("[timestamps]\nevery = 0", ":2:", "not a number of seconds above 0"),
        ("[witnesses]\nage = -1", ":2:", "not a number of seconds above 0"),
        ("a = 1\nb = '\xff'", ":2:", "not UTF-8"),
        ("a = " + "[" * 20_000, ":1:", "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(home, text, where, what):
    home.config.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInputError) as caught:
        load_config(home)
    assert f"{home.config}{where}" in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (Contact(), ""),
        (Contact(name="Ada"), "Ada"),
        (Contact(email="ada@shipyard.example"), "ada@shipyard.example"),
        (Contact(name="Ada", email="ada@shipyard.example"), "Ada <ada@shipyard.example>"),
        (Contact(name="Ada", url="https://shipyard.example/ada"), "Ada https://shipyard.example/ada"),
    ],
)
def test_whom_to_ask_is_one_line(named, words):
    assert named.words == words


def test_a_file_that_is_too_large_or_is_no_file_is_bad_input(home):
    home.config.write_bytes(b"#" * (MAX_CONFIG + 1))
    with pytest.raises(BadInputError, match="larger than"):
        load_config(home)
    home.config.unlink()
    home.config.mkdir()
    with pytest.raises(BadInputError, match="cannot be read"):
        load_config(home)


def test_the_longest_match_decides_the_charter():
    config = of(("/src/**", "all"), ("/src/app", "app"), ("/src/*/docs", "docs"), ("/srv/**/secret", "secret"))
    found = {
        path: (config.charter_for(path) or ("-",))[0]
        for path in (
            "/src", "/src/x/y", "/src/app", "/src/app/deep/er", "/src/app/docs/a", "/srcx", "/", "/srv/secret",
            "/srv/a/b/secret/c", "/srv/a",
        )
    }  # fmt: skip
    assert found == {
        "/src": "all",
        "/src/x/y": "all",
        "/src/app": "app",
        "/src/app/deep/er": "app",
        "/src/app/docs/a": "docs",
        "/srcx": "-",
        "/": "-",
        "/srv/secret": "secret",
        "/srv/a/b/secret/c": "secret",
        "/srv/a": "-",
    }


def test_of_equally_long_matches_the_one_written_out_decides():
    assert of(("/src/app", "named"), ("/src/*", "any")).charter_for("/src/app/x") == ("named", "enforce")
    assert of(("/src/*", "any"), ("/src/app", "named")).charter_for("/src/app/x") == ("named", "enforce")


def test_the_whole_host_can_be_one_repository():
    assert of(("/", "all")).charter_for("/any/where") == ("all", "enforce")
    assert of(("/**", "all")).charter_for("/") == ("all", "enforce")


names = st.text("ab*?[", min_size=1, max_size=4)


@given(st.lists(names | st.just("**"), max_size=8), st.lists(st.text("ab", min_size=1, max_size=3), max_size=12))
def test_no_pattern_takes_for_ever_or_raises(pattern, path):
    found = of(("/" + "/".join(pattern), "c")).charter_for("/" + "/".join(path))
    assert found in {None, ("c", "enforce")}


def test_a_repository_is_added_changed_and_removed_and_the_rest_stays(home):
    save_config(home, Config(sponsor=Sponsor(name="Team")))
    add_repository(home, "/a", "coder", "observe")
    add_repository(home, "/b", "ci")
    changed = add_repository(home, "/a", "coder", "enforce")
    assert load_config(home) == changed
    assert [(one.path, one.mode) for one in changed.repositories] == [("/a", "enforce"), ("/b", "enforce")]
    assert changed.sponsor.name == "Team"
    assert remove_repository(home, "/a") == load_config(home)
    assert [one.path for one in load_config(home).repositories] == ["/b"]


def test_what_makes_no_sense_is_not_written(home):
    add_repository(home, "/a", "coder")
    before = home.config.read_bytes()
    with pytest.raises(BadInputError):
        add_repository(home, "relative", "coder")
    assert home.config.read_bytes() == before


def test_a_write_that_fails_leaves_the_old_file(home, monkeypatch):
    add_repository(home, "/a", "coder")
    before = home.config.read_bytes()

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        add_repository(home, "/b", "coder")
    assert home.config.read_bytes() == before
    assert [path.name for path in home.root.glob(".config-*")] == []


def test_the_home_is_private_and_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path / "x"))
    home = Home.default()
    home.make()
    assert home.root == tmp_path / "x"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (home.root, home.keys, home.run, home.charters)} == {0o700}
    monkeypatch.delenv("OUTRIDER_HOME")
    assert Home.default().root == Path.home() / ".outrider"


def test_the_example_in_the_documentation_is_a_configuration():
    page = (Path(__file__).parents[2] / "docs" / "identity.md").read_text()
    examples = [part.split("```")[0] for part in page.split("```toml\n")[1:]]
    example = next(text for text in examples if "[[repositories]]" in text)
    found = parse_config(example.encode())
    assert found.charter_for("/home/ada/src/x/y") == ("coder", "observe")
    assert found.sponsor.name == "Platform team"
    assert found.contact.words == "Platform security <security@shipyard.example> https://shipyard.example/security"
    assert (found.http, found.daemon) == (Http(), Daemon())
    assert found.charters == Signing(signed=True)


def test_what_is_saved_keeps_every_section(home):
    text = """
[sponsor]
name = "Ada"
[daemon]
users = ["ada", "1001"]
[second_look]
seconds = 5
[charters]
signed = true
[http]
enabled = true
[witnesses]
policy = "/p"
[[repositories]]
path = "/r"
charter = "coder"
"""
    config = parse_config(text.encode())
    save_config(home, config)
    assert load_config(home) == config
