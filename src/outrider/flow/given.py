"""The values that a call is given, as prints, and which of them steer it.

A control argument says where a call goes or what it touches: a recipient, an address, a path, an id, an account. A
content argument is what it carries: a body, a title, a note. Which is which is told by the argument's name, unless a
charter's ``[tools]`` says it for the tool. Of a tool that only looks, addresses alone steer: a page that is fetched is
told what is fetched.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec

from outrider.events.call import Call, Effect
from outrider.flow.values import Printer, addresses, host_in, is_address, is_salient, names_in, normal, pack, words

MAX_VALUES = 48
MAX_WORDS = 48
MAX_CHARS = 8_000
"""Most values of one call, words of one value and characters of one value that are looked at."""

_TOOLS = frozenset({"mcp", "other", "fetch", "shell", "websearch", "spawn"})
_CONTENT = re.compile(
    r"(?i)(?:^|_)(?:body|content|contents|text|message|msg|description|comment|html|markdown|summary|subject|title"
    r"|notes?|patch|diff|code|source|prompt|query|q|data|values?|ids?_?of_?inputs?|input_ids?|reason|date|day|time|start"
    r"|end|timezone|amount|quantity|count|limit|offset|page|n|price|rating|otp|format|lang|language|sort|order"
    r"|recurring|permission|force|rating_\w+|price_\w+|file_text|new_str(?:ing)?|old_str(?:ing)?)$"
)
_LEAST = 8
_CUTS = (".", "-", "_", " ", "\n")
_NOTHING = frozenset({"none", "null", "true", "false", "nil", "n/a"})
_STEERED = frozenset({"connect", "install", "push", "deploy", "spawn"})
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|[A-Za-z0-9+/_-]{16,}={0,2}")


class Word(msgspec.Struct, frozen=True, array_like=True):
    """One word of a value.

    Attributes:
        print: Its print.
        salient: Whether it names something by itself.
        leads: Whether it is an address.
        names: Prints of the telling words inside it.
        host: Print of the host that it starts with, or 0.
    """

    print: int
    salient: bool = False
    leads: bool = False
    names: tuple[int, ...] = ()
    host: int = 0


class Given(msgspec.Struct, frozen=True, array_like=True):
    """One value that a call is given.

    Attributes:
        name: The argument that holds it, as the tool's schema calls it; for a shell command the effect's verb.
        whole: Print of the whole value.
        words: Its words.
        names: Prints of the telling words inside it.
        content: Whether it stands in what the call carries, by the argument's name.
        leads: Whether it is an address.
        again: Prints of what it is when read backwards, and with one sign between its pieces taken out.
    """

    name: str
    whole: int
    words: tuple[Word, ...]
    names: tuple[int, ...] = ()
    content: bool = False
    leads: bool = False
    again: tuple[int, ...] = ()


@lru_cache(maxsize=1024)
def is_content(name: str) -> bool:
    """Tell whether an argument's name says that it is what the call carries."""
    return _CONTENT.search(name) is not None


def given(call: Call, effects: Sequence[Effect], of: Printer) -> tuple[Given, ...]:
    """Return the values that a call is given; none for the tools that touch local files alone.

    Args:
        call: The call.
        effects: What it would do; of a shell command, what it reaches, installs and pushes to are its values.
        of: Makes prints.
    """
    if call.tool not in _TOOLS:
        return ()
    if call.tool == "shell":
        found = {(effect.verb, effect.value): None for effect in effects if effect.verb in _STEERED}
        return tuple(_given(verb, value.partition(":")[2] or value, of) for verb, value in list(found)[:MAX_VALUES])
    return tuple(_given(name, value, of) for name, value in _values(call.args))


def steers(values: Iterable[Given]) -> dict[str, bytes]:
    """Return the prints of a call's values by what they are to it, so that their origins can be sought later.

    ``whole``: what steers it, and addresses anywhere; ``part``: the telling words of what steers it; ``carried``: what
    it carries.
    """
    found: dict[str, dict[int, None]] = {"whole": {}, "part": {}, "carried": {}}
    for value in values:
        several = len(value.words) > 1
        if value.whole and (several or not value.content):
            found["carried" if value.content else "whole"][value.whole] = None
        for word in value.words:
            if word.leads or not (several or value.content):
                found["whole"][word.print] = None
            elif word.salient or word.names:
                found["carried" if value.content else "part"][word.print] = None
            if word.host:
                found["part"][word.host] = None
    return {kind: pack(list(prints)[:MAX_WORDS]) for kind, prints in found.items() if prints}


def steering(
    values: Iterable[Given], *, looks: bool, control: Sequence[str] | None = None
) -> Iterator[tuple[Given, bool]]:
    """Yield the values that matter for where a call goes, each with whether it steers the call or is carried by it.

    Args:
        values: The values.
        looks: Whether the tool only looks: then what it carries does not matter.
        control: The control arguments, as a charter says; None to go by the arguments' names.
    """
    for value in values:
        by_name = not value.content and (value.leads or not looks)
        steers = by_name if control is None else value.name in control
        if steers or not looks:
            yield value, steers


def _values(args: dict[str, Any]) -> Iterator[tuple[str, str]]:
    stack: list[tuple[str, Any]] = list(reversed(args.items()))
    seen = 0
    while stack and seen < MAX_VALUES:
        name, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((name, one) for key, one in reversed(value.items()) if key != "type")
        elif isinstance(value, list | tuple):
            stack.extend((name, one) for one in reversed(value))
        elif isinstance(value, bool) or value is None:
            continue
        elif isinstance(value, str | int | float):
            text = str(value)
            if text and text.lower() not in _NOTHING:
                seen += 1
                yield name, text[:MAX_CHARS]


def _given(name: str, text: str, of: Printer) -> Given:
    whole = normal(text) if len(text) <= 400 else ""
    content = is_content(name)
    # Of a long text only what leads somewhere can steer whoever gets it.
    short = not content or (len(text) <= 120 and text.count(" ") < 8)
    line = words(text) if short else addresses(text)
    if _ENCODED.search(text):
        line += [word for plain in decoded(text) for word in words(plain) if short or is_address(word)]
    made = tuple(_word(word, of) for word in dict.fromkeys(line[:MAX_WORDS]))
    again = tuple(of(one) for one in _disguised(text, whole)) if not content else ()
    if len(made) == 1 and line[0] == whole:
        return Given(name, made[0].print, made, made[0].names, content, made[0].leads, again)
    names = tuple(of(one) for one in names_in(whole)[:8]) if len(whole) <= 120 else ()
    return Given(name, of(whole) if whole else 0, made, names, content, is_address(whole), again)


def _disguised(text: str, whole: str) -> Iterator[str]:
    """Yield what a value is backwards, and without the one sign that stands between its pieces."""
    if _LEAST <= len(whole) <= 200 and not whole.isalpha():
        yield whole[::-1]
        for sign in _CUTS:
            if text.count(sign) > 2:
                joined = normal("".join(text.split() if sign == " " else text.split(sign)))
                yield joined
                yield joined[::-1]


def _word(word: str, of: Printer) -> Word:
    host = host_in(word)
    names = names_in(word) if len(word) <= 120 else ()
    return Word(
        of(word), is_salient(word), is_address(word), tuple(of(one) for one in names[:8]), of(host) if host else 0
    )


def decoded(text: str) -> Iterator[str]:
    """Yield what a value says once percent, base64 and hexadecimal signs are undone, where that is plain text."""
    plain = unquote(text) if "%" in text else text
    if plain != text:
        yield plain
    for run in re.findall(r"[A-Za-z0-9+/_-]{16,}={0,2}", plain)[:16]:
        if len(run) % 2 == 0:
            try:
                yield bytes.fromhex(run).decode("ascii")
                continue
            except ValueError:
                pass
        for at in range(4):
            piece = run[at:].rstrip("=").replace("-", "+").replace("_", "/")
            piece = piece[: len(piece) - 1] if len(piece) % 4 == 1 else piece
            try:
                raw = base64.b64decode(piece + "=" * (-len(piece) % 4))
            except (binascii.Error, ValueError):
                continue
            if len(raw) >= 8 and all(32 <= byte < 127 or byte in (9, 10, 13) for byte in raw):
                yield raw.decode("ascii")
