"""What the taint pass over Python knows: where values come from outside, what makes them harmless, where they do harm.

Names are matched by their last parts (``flask.request.args`` by ``request``), so that aliases of imports count too.
"""

from __future__ import annotations

from typing import Final

import msgspec

KINDS: Final = (
    "sql", "shell", "code", "path", "html", "template", "redirect", "deserialise", "ldap", "xpath", "ssrf", "session",
    "log", "header", "fields", "xml", "nosql",
)  # fmt: skip
"""The kinds of places that a value from outside must not reach as it is."""

REQUESTS: Final = frozenset({"request", "req"})
"""Names of the object in which web frameworks hand over what a client sent."""

HARMLESS_PARTS: Final = frozenset(
    {"method", "scheme", "is_secure", "endpoint", "blueprint", "user", "session", "app", "state", "user_agent",
     "content_length", "is_json", "environ", "remote_addr", "client", "auth", "registry", "resolver_match", "path",
     "max_content_length", "url_rule", "logger"}
)  # fmt: skip
"""Parts of a request that a client does not choose freely, or whose use says nothing yet."""

TEXTS: Final = frozenset({"args", "form", "cookies", "headers", "GET", "POST", "values", "query_params", "path_params"})
"""Parts of a request that hold text and nothing else."""

FUNCTIONS: Final = frozenset({"input", "raw_input"})
STREAMS: Final = frozenset({"sys.argv", "sys.stdin"})

ROUTES: Final = frozenset({"route", "get", "post", "put", "patch", "delete", "api_route", "websocket", "view_config"})
"""Last parts of decorators whose functions are handed what a client sent."""

NUMBERS: Final = frozenset(
    {"int", "float", "bool", "len", "ord", "hash", "id", "abs", "round", "isinstance", "hasattr", "type", "UUID",
     "Decimal", "IPv4Address", "ip_address", "range", "sum", "any", "all", "callable", "fromisoformat", "strptime",
     "sha256", "sha512", "sha1", "md5", "hexdigest", "generate_password_hash", "check_password_hash", "compare_digest",
     "count", "find", "index", "startswith", "endswith", "isdigit", "isalnum", "isalpha", "isidentifier", "exists",
     "is_file", "is_dir", "status_code", "fullmatch_only", "fetchone", "fetchall", "fetchmany", "first", "one",
     "one_or_none", "scalar", "scalars", "scalar_one", "scalar_one_or_none", "first_or_404", "get_or_404",
     "get_object_or_404", "filter_by"}
)  # fmt: skip
"""Calls that give numbers, truths, digests or what a store holds, whatever they are given."""

CLEANERS: Final[dict[str, frozenset[str]]] = {
    "quote": frozenset({"shell", "html", "redirect", "header"}),
    "quote_plus": frozenset({"shell", "html", "redirect", "header"}),
    "urlencode": frozenset({"shell", "html", "header"}),
    "render_template": frozenset({"html"}),
    "render": frozenset({"html"}),
    "render_to_string": frozenset({"html"}),
    "TemplateResponse": frozenset({"html"}),
    "redirect": frozenset({"html"}),
    "send_file": frozenset({"html"}),
    "send_from_directory": frozenset({"html", "path"}),
    "escape": frozenset({"html", "template"}),
    "conditional_escape": frozenset({"html", "template"}),
    "clean": frozenset({"html"}),
    "bleach": frozenset({"html"}),
    "secure_filename": frozenset({"path", "shell", "html", "header", "log"}),
    "basename": frozenset({"path"}),
    "safe_join": frozenset({"path"}),
    "normalize_name": frozenset({"path"}),
    "escape_filter_chars": frozenset({"ldap"}),
    "escape_dn_chars": frozenset({"ldap"}),
    "url_for": frozenset({"redirect", "ssrf", "html", "header"}),
    "reverse": frozenset({"redirect", "ssrf"}),
    "dumps": frozenset({"html", "header", "log", "template"}),
    "jsonify": frozenset({"html", "template"}),
    "repr": frozenset({"log", "header"}),
    "str": frozenset({"nosql"}),
    "hex": frozenset(KINDS),
    "literal_eval": frozenset({"code"}),
    "safe_load": frozenset({"deserialise"}),
    "loads": frozenset({"deserialise"}),
}
"""Last part of a function's name to the kinds for which its result is harmless."""


class Sink(msgspec.Struct, frozen=True):
    """A place that a value from outside must not reach.

    Attributes:
        kind: One of :data:`KINDS`.
        args: Positions of the arguments that count; empty for all.
        names: Keyword arguments that count.
        needs: Keyword that must be true for the call to count, such as ``shell``.
        dotted: True if the name must follow something (``x.execute``), False if it may stand alone.
        bare: True if the name must stand alone: ``re.compile`` is not ``compile``.
        sure: True if a caller's word is not enough, because handing on what a caller says is what many functions do.
    """

    kind: str
    args: tuple[int, ...] = (0,)
    names: tuple[str, ...] = ()
    needs: str = ""
    dotted: bool = False
    bare: bool = False
    sure: bool = False


_RUNS = Sink("shell", (0,), ("args", "cmd"), "shell")
_FETCH = Sink("ssrf", (0,), ("url",))
_FILE = Sink("path", (0,), ("file", "path", "filename", "name"))

_FILES = (
    "codecs.open", "io.open", "os.open", "os.remove", "os.unlink", "os.listdir", "os.mkdir", "os.makedirs",
    "os.rmdir", "os.scandir", "send_file", "FileResponse", "rmtree", "copyfile", "ZipFile", "fromfile",
)  # fmt: skip

SINKS: Final[dict[str, Sink]] = {
    **{name: Sink("sql", (0,), ("sql", "query", "statement"), dotted=True)
       for name in ("execute", "executemany", "executescript", "mogrify", "raw")},
    "read_sql": Sink("sql"), "read_sql_query": Sink("sql"),
    "os.system": Sink("shell"), "os.popen": Sink("shell"), "popen2": Sink("shell"), "getoutput": Sink("shell"),
    "getstatusoutput": Sink("shell"), "create_subprocess_shell": Sink("shell"),
    **{f"subprocess.{name}": _RUNS for name in ("run", "call", "check_call", "check_output", "Popen")},
    **dict.fromkeys(("check_output", "check_call", "Popen"), _RUNS),
    "eval": Sink("code", bare=True), "exec": Sink("code", bare=True), "compile": Sink("code", bare=True),
    "exec_command": Sink("shell", (0,), ("command",), dotted=True, sure=True),
    "pexpect.run": Sink("shell"), "pexpect.spawn": Sink("shell"),
    "__import__": Sink("code"),
    "import_module": Sink("code"),
    "open": Sink("path", (0,), ("file",), bare=True),
    **dict.fromkeys(_FILES, _FILE),
    **{name: Sink("path", (), (), dotted=True)
       for name in ("read_text", "read_bytes", "write_text", "write_bytes", "iterdir")},
    **dict.fromkeys(
        (*(f"{of}.{name}" for of in ("etree", "ElementTree", "ET")
           for name in ("fromstring", "parse", "XML", "iterparse")),
         "minidom.parseString", "minidom.parse", "sax.parseString", "pulldom.parseString"), Sink("xml")
    ),
    **{name: Sink("nosql", (0,), ("filter",), dotted=True)
       for name in ("find_one", "find", "update_one", "update_many", "delete_one", "delete_many", "find_one_and_update",
                    "count_documents", "aggregate")},
    "save": Sink("path", dotted=True, sure=True),
    "os.rename": Sink("path", (0, 1)), "shutil.copy": Sink("path", (0, 1)), "shutil.move": Sink("path", (0, 1)),
    "make_response": Sink("html"), "HttpResponse": Sink("html"), "HTMLResponse": Sink("html", (0,), ("content",)),
    "response.html": Sink("html"),
    "Markup": Sink("html"), "mark_safe": Sink("html"), "format_html": Sink("html"), "Response": Sink("html"),
    "render_template_string": Sink("template"), "from_string": Sink("template", dotted=True),
    "redirect": Sink("redirect", (0,), ("url", "location")), "HttpResponseRedirect": Sink("redirect"),
    "RedirectResponse": Sink("redirect", (0,), ("url",)),
    "pickle.loads": Sink("deserialise"), "pickle.load": Sink("deserialise"), "cPickle.loads": Sink("deserialise"),
    "_pickle.loads": Sink("deserialise"), "dill.loads": Sink("deserialise"), "marshal.loads": Sink("deserialise"),
    "jsonpickle.decode": Sink("deserialise"), "yaml.load": Sink("deserialise"), "yaml.unsafe_load": Sink("deserialise"),
    "yaml.full_load": Sink("deserialise"), "yaml.load_all": Sink("deserialise"), "Unpickler": Sink("deserialise"),
    "shelve.open": Sink("deserialise"), "joblib.load": Sink("deserialise"),
    "search_s": Sink("ldap", (0, 2), ("filterstr", "base"), dotted=True),
    "search_ext_s": Sink("ldap", (0, 2), dotted=True),
    "xpath": Sink("xpath", dotted=True), "XPath": Sink("xpath"), "elementpath.select": Sink("xpath", (1,)),
    "select": Sink("xpath", (1,)),
    "iterfind": Sink("xpath", dotted=True), "findall": Sink("xpath", dotted=True),
    **{f"requests.{name}": _FETCH for name in ("get", "post", "put", "delete", "head", "patch", "options")},
    "requests.request": Sink("ssrf", (1,), ("url",)),
    **{f"httpx.{name}": _FETCH for name in ("get", "post", "put", "delete", "head", "patch", "stream")},
    **{f"{client}.{name}": _FETCH for client in ("client", "http_client", "async_client", "http")
       for name in ("get", "post", "put", "delete", "head", "patch", "stream")},
    "urlopen": _FETCH, "urlretrieve": _FETCH, "urllib3.request": Sink("ssrf", (1,), ("url",)),
}  # fmt: skip
"""Name of a function, whole or its last part, to the place that it is. The longer name counts first."""

NO_PLACES: Final = frozenset({"pdfkit.from_string", "imgkit.from_string", "webbrowser.open"})
"""Functions that are called as a place is, and are none."""

LDAP_SEARCH: Final = Sink("ldap", (0, 1), ("search_filter", "search_base"), dotted=True)
"""``connection.search``, which counts where the text speaks of LDAP at all."""

FROM_CALLERS: Final = frozenset({"sql", "shell", "code", "path", "html", "xpath"})
"""Kinds of places that an argument of a function which nobody is known to call is worth a word for.

A path or a page must also be put together with it: opening a file that a caller names is what many functions are for.
"""

OPERATORS: Final = frozenset({"path", "html", "redirect", "ssrf", "log", "header", "session", "xml", "nosql"})
"""Kinds of places that are for whoever starts a program, at a terminal or by a command line, to choose."""

RECEIVED: Final = frozenset(
    {"recv", "recvfrom", "get_argument", "get_arguments", "get_query_argument", "get_body_argument"}
)
"""Methods that hand over what came from the other side of a connection."""

ANSWERS: Final = frozenset({"sql", "ssrf", "ldap"})
"""Kinds of places whose results are what a store or another host answered, not what it was asked."""

ENDS: Final = frozenset({"abort", "exit", "_exit", "fail", "skip", "throw"})
"""Calls behind which nothing goes on."""

LOGS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
