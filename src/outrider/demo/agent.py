"""One agent of the story: a program of its own, standard library only, started as ``python -I -S agent.py SCRIPT``.

It is a host as far as Outrider can tell. It reads the hooks from its own ``~/.claude/settings.json``, runs them with
Claude Code's protocol for every step, obeys the answer, and does what it was allowed to do for real: writes files, runs
git, fetches pages, starts children. What it is told to do stands in its script; what it does when it is refused, too.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlsplit

DENIED = 2
"""Exit status by which a hook blocks."""


class Agent:
    """A scripted session."""

    def __init__(self, script: dict[str, Any]) -> None:
        self.script = script
        self.home = script["home"]
        self.repo = script["repo"]
        self.session = script["session"]
        self.hooks = load_hooks(self.home)
        self.calls = 0
        self.told = ""
        self.env = {
            "HOME": self.home,
            "PATH": script["path"],
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def live(self) -> None:
        """Play the whole script."""
        self.hook("SessionStart", {"source": "startup"})
        self.hook("UserPromptSubmit", {"prompt": self.script["prompt"]})
        self.play(self.script["steps"])
        self.hook("SessionEnd", {"reason": "other"})

    def play(self, steps: list[dict[str, Any]]) -> None:
        """Do one step after the other; a refused one is replaced by what the script says to do instead."""
        for step in steps:
            if not self.step(step) and step.get("instead"):
                self.play([{**better, "mark": "corrected"} for better in step["instead"]])

    def step(self, step: dict[str, Any]) -> bool:
        """Ask, and do it if allowed; return whether it was."""
        self.calls += 1
        call = f"toolu_{self.session.replace('-', '')[:12]}{self.calls:04d}"
        base = {"tool_name": step["tool"], "tool_input": step["input"], "tool_use_id": call}
        verdict = self.hook("PreToolUse", base)
        if verdict != "allow":
            self.note(call, step, verdict)
            return False
        started = time.monotonic()
        try:
            response, ok = self.do(step), True
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            response, ok = str(error), False
        took = {"duration_ms": int(1000 * (time.monotonic() - started))}
        if ok:
            self.hook("PostToolUse", {**base, "tool_response": response, **took})
        else:
            self.hook("PostToolUseFailure", {**base, "error": response, "is_interrupt": False, **took})
        self.note(call, step, "done" if ok else "failed")
        return True

    def note(self, call: str, step: dict[str, Any], outcome: str) -> None:
        """Write a step into the demo's own list, which the product never sees."""
        line = {
            "session": self.session,
            "call": call,
            "tool": step["tool"],
            "outcome": outcome,
            "mark": step.get("mark", ""),
        }
        if outcome in {"deny", "ask"}:
            line["advice"] = self.told
        with open(self.script["list"], "ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\n")

    def hook(self, event: str, fields: dict[str, Any]) -> str:
        """Run the hooks of an event, as the host does, and return ``allow``, ``deny`` or ``ask``."""
        payload = json.dumps(
            {
                "session_id": self.session,
                "transcript_path": f"{self.home}/.claude/projects/repo/{self.session}.jsonl",
                "cwd": self.repo,
                "permission_mode": "acceptEdits",
                "hook_event_name": event,
                **fields,
            }
        ).encode()
        for command in self.hooks.get(event, ()):
            done = subprocess.run(command, input=payload, capture_output=True, env=self.env, cwd=self.repo, check=False)
            if done.returncode == DENIED:
                self.told = done.stderr.decode("utf-8", "replace")
                return "deny"
            answer = json.loads(done.stdout) if done.stdout.strip() else {}
            specific = answer.get("hookSpecificOutput", {})
            if specific.get("permissionDecision") in {"deny", "ask"}:
                self.told = specific.get("permissionDecisionReason", "")
                return str(specific["permissionDecision"])
        return "allow"

    def do(self, step: dict[str, Any]) -> Any:
        """Do what was allowed, for real, and return the host's form of its result."""
        given = step["input"]
        return getattr(self, "do_" + step["tool"].lower())(given, step)

    def do_read(self, given: dict[str, Any], _step: dict[str, Any]) -> Any:
        """Read a file."""
        with open(given["file_path"], encoding="utf-8", errors="replace") as file:
            text = file.read()
        return {
            "type": "text",
            "file": {"filePath": given["file_path"], "content": text, "numLines": text.count("\n") + 1},
        }

    def do_write(self, given: dict[str, Any], _step: dict[str, Any]) -> Any:
        """Write a file."""
        os.makedirs(os.path.dirname(given["file_path"]), exist_ok=True)
        with open(given["file_path"], "w", encoding="utf-8") as file:
            file.write(given["content"])
        return {"type": "create", "filePath": given["file_path"], "content": given["content"]}

    def do_edit(self, given: dict[str, Any], _step: dict[str, Any]) -> Any:
        """Replace text in a file."""
        with open(given["file_path"], encoding="utf-8") as file:
            text = file.read()
        if given["old_string"] not in text:
            raise ValueError("String to replace not found in file.")
        with open(given["file_path"], "w", encoding="utf-8") as file:
            file.write(text.replace(given["old_string"], given["new_string"], 1))
        return {"filePath": given["file_path"], "oldString": given["old_string"], "newString": given["new_string"]}

    def do_grep(self, given: dict[str, Any], _step: dict[str, Any]) -> Any:
        """Look for a word in the files of a directory."""
        found = []
        for name in sorted(os.listdir(given["path"])):
            path = os.path.join(given["path"], name)
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    if given["pattern"] in file.read():
                        found.append(name)
        return {"mode": "files_with_matches", "filenames": found, "numFiles": len(found)}

    def do_bash(self, given: dict[str, Any], _step: dict[str, Any]) -> Any:
        """Run a command line in a shell."""
        done = subprocess.run(
            [self.script["shell"], "-c", given["command"]],
            capture_output=True,
            text=True,
            env=self.env,
            cwd=self.repo,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise OSError(f"Exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return {"stdout": done.stdout, "stderr": done.stderr, "interrupted": False, "isImage": False}

    def do_webfetch(self, given: dict[str, Any], _step: dict[str, Any]) -> Any:
        """Fetch a page: every host of the story is served by one server on loopback."""
        parts = urlsplit(given["url"])
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with socket.create_connection(tuple(self.script["web"]), timeout=10) as sock:
            sock.sendall(f"GET {target} HTTP/1.0\r\nHost: {parts.hostname}\r\n\r\n".encode())
            data = b""
            while chunk := sock.recv(65536):
                data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        code = int(head.split(b" ", 2)[1])
        if code != 200:
            raise OSError(f"Request failed with status code {code}")
        return {"bytes": len(body), "code": code, "result": body.decode(), "url": given["url"]}

    def do_agent(self, _given: dict[str, Any], step: dict[str, Any]) -> Any:
        """Start a child: a process and a session of its own, with a home of its own."""
        done = subprocess.run(
            [sys.executable, "-I", "-S", __file__, step["script"]],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OSError(done.stderr)
        return {"status": "completed", "content": [{"type": "text", "text": done.stdout}]}


def load_hooks(home: str) -> dict[str, list[list[str]]]:
    """Return the command hooks of each event, from the settings of the home, as the host would run them."""
    with open(os.path.join(home, ".claude", "settings.json"), encoding="utf-8") as file:
        settings = json.load(file)
    found: dict[str, list[list[str]]] = {}
    for event, groups in settings.get("hooks", {}).items():
        for group in groups:
            for one in group["hooks"]:
                if one["type"] == "command":
                    line = [one["command"], *one["args"]] if "args" in one else ["/bin/sh", "-c", one["command"]]
                    found.setdefault(event, []).append(line)
    return found


def main() -> None:
    """Live, and say in one line what was done."""
    with open(sys.argv[1], encoding="utf-8") as file:
        script = json.load(file)
    agent = Agent(script)
    agent.live()
    with open(script["done"], "ab", buffering=0) as file:
        file.write(b".")
    sys.stdout.write(script.get("says", "done") + "\n")


main()
