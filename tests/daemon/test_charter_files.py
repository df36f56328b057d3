"""Which charter files a home has, by name."""

from outrider import config
from outrider.config import Home
from outrider.daemon.charter_files import MAX_CHARTER, charter_texts


def test_the_users_charters_hide_the_built_in_ones(tmp_path, monkeypatch):
    home = Home(tmp_path / "home")
    home.make()
    builtin = tmp_path / "builtin"
    builtin.mkdir()
    monkeypatch.setattr(config, "BUILTIN_CHARTERS", builtin)
    (builtin / "base.toml").write_text("base")
    (builtin / "coder.toml").write_text("builtin coder")
    (builtin / "notes.txt").write_text("no")
    (home.charters / "coder.toml").write_text("my coder")
    (home.charters / "coder.toml.sig").write_bytes(b"sig")
    (home.charters / "bad.toml").write_bytes(b"\xff")
    (home.charters / "huge.toml").write_bytes(b"#" * (MAX_CHARTER + 1))
    (home.charters / "folder.toml").mkdir()
    found = charter_texts(home)
    assert sorted(found) == ["bad", "base", "coder", "folder", "huge"]
    assert found["base"] == (builtin / "base.toml", "base", None, True)
    assert found["coder"] == (home.charters / "coder.toml", "my coder", b"sig", False)
    assert found["bad"].text == found["huge"].text == found["folder"].text == ""


def test_a_home_without_a_charters_directory_has_the_built_in_ones(tmp_path):
    assert set(charter_texts(Home(tmp_path / "none"))) == {
        path.stem for path in config.builtin_charters().glob("*.toml")
    }
