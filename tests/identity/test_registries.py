import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.identity import registries
from outrider.identity.registries import host_of, registry_hosts, setups


@pytest.fixture
def world(tmp_path, monkeypatch):
    """An empty host: no pip but the one written by a test."""
    monkeypatch.setattr(registries, "_pip_sources", lambda: iter([PIP]))
    (tmp_path / "home").mkdir()
    return tmp_path


PIP = 'import x\nPyPI = PackageIndex("https://default.example/", file_storage_domain="files.example")\nOther = 1\n'


def put(world, path, text):
    where = world / path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(text)


def hosts(world, tool):
    return next(setup.hosts for setup in setups(world / "home", root=world) if setup.tool == tool)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:pass@Mirror.Example./simple", "mirror.example"),
        ("http://mirror.example:80/", "mirror.example"),
        ("https://mirror.example:8443/x", "mirror.example:8443"),
        ("sparse+https://index.example/", "index.example"),
        ("ssh://git@example.com/x", ""),
        ("https://", ""),
        ("https://a:b:c/", ""),
        ("https://[bad/", ""),
        ("https://${HOST}/", ""),
        ("file:///etc/x", ""),
        ("", ""),
    ],
)
def test_a_host_is_taken_out_of_an_address_without_what_is_secret(url, host):
    assert host_of(url) == host


@given(st.text(max_size=60))
def test_no_address_stops_the_reader(text):
    assert "@" not in host_of("https://" + text)


def test_where_nothing_is_configured_pips_own_file_says_the_default(world):
    assert hosts(world, "pip") == ("default.example", "files.example")
    assert hosts(world, "uv") == ("default.example", "files.example")


def test_pips_configuration_replaces_the_default_index_and_adds_others(world):
    put(world, "etc/pip.conf", "[global]\nextra-index-url =\n  https://u:p@one.example/simple\n  https://two.example\n")
    assert hosts(world, "pip") == ("default.example", "files.example", "one.example", "two.example")
    put(world, "home/.config/pip/pip.conf", "[install]\nindex_url = https://main.example:444/simple\n")
    assert hosts(world, "pip") == ("main.example:444", "one.example", "two.example")


def test_uvs_configuration_is_read(world):
    put(
        world,
        "home/.config/uv/uv.toml",
        '[[index]]\nurl = "https://a.example/simple"\n[pip]\nextra-index-url = ["https://b.example"]\n',
    )
    assert hosts(world, "uv") == ("a.example", "b.example", "default.example", "files.example")
    put(world, "etc/uv/uv.toml", '[[index]]\nurl = "https://c.example/simple"\ndefault = true\n')
    assert hosts(world, "uv") == ("a.example", "b.example", "c.example")


def test_npms_default_stands_in_its_own_definitions(world):
    assert hosts(world, "npm") == ()
    put(
        world,
        "usr/lib/node_modules/npm/node_modules/@npmcli/config/lib/definitions/definitions.js",
        "  other: new Definition('other', {\n    default: 'https://no.example/',\n  }),\n"
        "  registry: new Definition('registry', {\n    default: 'https://npm.example/',\n    type: url,\n",
    )
    assert hosts(world, "npm") == ("npm.example",)
    put(world, "home/.npmrc", "@scope:registry=https://scoped.example/\n//x/:_authToken=secret\n")
    assert hosts(world, "npm") == ("npm.example", "scoped.example")
    put(world, "etc/npmrc", 'registry="https://mirror.example/npm/"\n')
    assert hosts(world, "npm") == ("mirror.example", "scoped.example")


def test_the_other_package_managers_configuration_is_read(world):
    put(world, "home/.yarnrc.yml", 'npmScopes:\n  x:\n    npmRegistryServer: "https://yarn.example"\n')
    put(
        world,
        "home/.cargo/config.toml",
        '[registries.mine]\nindex = "sparse+https://cargo.example/i/"\n[source.m]\nregistry = "https://src.example"\n',
    )
    put(world, "usr/local/go/go.env", "GOPROXY=https://go.example,direct\nGOSUMDB=sum.example\n")
    put(world, "home/.gemrc", ":sources:\n- https://gem.example/\n# - https://no.example/\n")
    assert hosts(world, "yarn") == ("yarn.example",)
    assert hosts(world, "cargo") == ("cargo.example", "src.example")
    assert hosts(world, "go") == ("go.example", "sum.example")
    assert hosts(world, "gem") == ("gem.example",)
    put(world, "home/.config/go/env", "GOPROXY=https://mine.example|off\nGOSUMDB=off\n")
    assert hosts(world, "go") == ("mine.example",)


def test_mavens_default_lies_in_an_archive_and_a_mirror_replaces_it(world):
    where = world / "usr/share/maven/lib/maven-model-builder-3.9.jar"
    where.parent.mkdir(parents=True)
    with zipfile.ZipFile(where, "w") as archive:
        archive.writestr(
            "org/apache/maven/model/pom-4.0.0.xml",
            "<project><repository><!-- <url>https://no.example</url> --><url>https://mvn.example/m2</url></repository>",
        )
    blocked = "<mirrors><mirror><url>http://0.0.0.0/</url><blocked>true</blocked></mirror></mirrors>"
    put(world, "usr/share/maven/conf/settings.xml", blocked)
    assert hosts(world, "maven") == ("mvn.example",)
    put(world, "home/.m2/settings.xml", "<mirror><mirrorOf>*</mirrorOf><url>https://mirror.example</url></mirror>")
    assert hosts(world, "maven") == ("mirror.example",)


def test_gems_default_stands_in_its_own_file(world):
    put(
        world,
        "usr/lib/ruby/3.1.0/rubygems/defaults.rb",
        'module Gem\n  def self.default_sources\n    %w[https://gems.example/]\n  end\n  x = "https://no.example"\n',
    )
    assert hosts(world, "gem") == ("gems.example",)


def test_what_has_no_readable_default_says_so(world):
    notes = {setup.tool: setup.note for setup in setups(world / "home", root=world)}
    assert "no file that could be read" in notes["cargo"]
    assert notes["pip"] == ""


@pytest.mark.parametrize("text", ["\0\xff", "[", "[[[[", "= =", "a" * 2_000_000, "[x]\nindex-url = %(y)s", "[" * 5000])
def test_files_that_make_no_sense_are_as_if_not_there(world, text):
    for path in ("etc/pip.conf", "home/.config/uv/uv.toml", "home/.npmrc", "home/.cargo/config.toml", "home/.gemrc"):
        put(world, path, text)
    put(world, "home/.m2/settings.xml", text)
    put(world, "usr/share/maven/lib/maven-model-builder-1.jar", text)
    assert registry_hosts(world / "home", root=world) == ("default.example", "files.example")


def test_nothing_in_the_environment_adds_a_registry(world, monkeypatch):
    before = registry_hosts(world / "home", root=world)
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "npm_config_registry", "GOPROXY"):
        monkeypatch.setenv(name, "https://evil.example/")
    assert registry_hosts(world / "home", root=world) == before


def test_the_pip_of_this_python_has_a_default():
    assert len([host for text in registries._pip_sources() for host in [text] if "PackageIndex(" in host]) >= 1
