"""Which language a text is in: by the file's name, its first line, and for formats by what they say of themselves."""

from __future__ import annotations

import re
from typing import Final

_ENDINGS: Final = {
    ".py": "python", ".pyi": "python", ".pyw": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
    ".go": "go", ".java": "java", ".rs": "rust", ".rb": "ruby", ".erb": "", ".rake": "ruby", ".php": "php",
    ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".hh": "cpp", ".hxx": "cpp",
    ".cs": "csharp", ".sh": "shell", ".bash": "shell", ".ksh": "shell",
    ".tf": "terraform", ".tofu": "terraform", ".dockerfile": "dockerfile", ".sql": "sql",
}  # fmt: skip
_NAMES: Final = {
    "dockerfile": "dockerfile", "containerfile": "dockerfile", "gemfile": "ruby", "rakefile": "ruby",
    ".bashrc": "shell", ".profile": "shell", ".bash_profile": "shell",
}  # fmt: skip
_PROGRAMS: Final = {"node": "javascript", "nodejs": "javascript", "deno": "typescript", "bun": "typescript",
                    "php": "php", "ruby": "ruby", "sh": "shell", "bash": "shell", "dash": "shell", "ksh": "shell",
                    "zsh": "shell"}  # fmt: skip
_SHEBANG = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-S\s+)?)?([A-Za-z]+)")
_WORKFLOW = re.compile(r"(?:^|/)\.github/workflows/[^/]+\.ya?ml$|(?:^|/)action\.ya?ml$")
_COMPOSE = re.compile(r"(?:^|/)(?:docker-)?compose[^/]*\.ya?ml$")
_MANIFEST = re.compile(r"(?m)^apiVersion:\s*\S")
_KIND = re.compile(r"(?m)^kind:\s*\S")
_CPP = re.compile(r"(?m)^\s*(?:#include <(?:[a-z_]+|[a-z_]+/.*)>|using namespace|namespace \w|template\s*<|class \w)")

GRAMMARS: Final = {
    "python": "python", "javascript": "javascript", "typescript": "typescript", "tsx": "tsx", "go": "go",
    "java": "java", "rust": "rust", "ruby": "ruby", "php": "php", "c": "c", "cpp": "cpp", "csharp": "csharp",
    "shell": "bash", "terraform": "hcl", "github-actions": "yaml", "kubernetes": "yaml", "compose": "yaml",
}  # fmt: skip
"""ast-grep's name of the grammar of a language; ``dockerfile`` and ``sql`` have none and are looked at by lines."""

USUAL: Final = {
    "python": "app.py", "javascript": "app.js", "typescript": "app.ts", "tsx": "app.tsx", "go": "main.go",
    "java": "App.java", "rust": "main.rs", "ruby": "app.rb", "php": "index.php", "c": "main.c", "cpp": "main.cpp",
    "csharp": "App.cs", "shell": "run.sh", "terraform": "main.tf", "github-actions": ".github/workflows/ci.yml",
    "kubernetes": "deployment.yaml", "compose": "compose.yaml", "dockerfile": "Dockerfile", "sql": "schema.sql",
}  # fmt: skip
"""A file name by which a language is known."""


def language_of(path: str, text: str = "") -> str:
    """Return the language of a text, or the empty string if it is none that there are rules for.

    Args:
        path: The file, or empty.
        text: Its content; only its beginning and its shape are looked at.
    """
    name = path.rsplit("/", 1)[-1].lower()
    if name.endswith((".yml", ".yaml")):
        return _of_yaml(path, text)
    if name in _NAMES or name.startswith(("dockerfile.", "containerfile.")):
        return _NAMES.get(name, "dockerfile")
    dot = name.rfind(".")
    if dot > 0:
        known = _ENDINGS.get(name[dot:])
        if known == "c" and name.endswith(".h") and _CPP.search(text):
            return "cpp"
        if known is not None:
            return known
    return _of_first_line(text)


def _of_yaml(path: str, text: str) -> str:
    if _WORKFLOW.search(path):
        return "github-actions"
    if _COMPOSE.search(path):
        return "compose"
    return "kubernetes" if _MANIFEST.search(text) and _KIND.search(text) else ""


def _of_first_line(text: str) -> str:
    match = _SHEBANG.match(text[:200])
    if match is None:
        return ""
    program = match[1]
    return "python" if program.startswith("python") else _PROGRAMS.get(program, "")
