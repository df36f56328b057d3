"""A tiny MCP server over stdio with two tools: ``add`` adds two numbers, ``boom`` fails.

Newline-delimited JSON-RPC 2.0, the protocol's stdio transport. Standard library only: the real client starts it.
Usage: ``mcp_server.py LOG``; each ``tools/call`` is appended to LOG as one JSON line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_NUMBERS = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}}
_TOOLS = [
    {"name": "add", "description": "Add two numbers.", "inputSchema": _NUMBERS},
    {"name": "boom", "description": "Fail.", "inputSchema": {"type": "object"}},
]


def answer(method: str, params: dict[str, Any], log: Path) -> dict[str, Any] | None:
    """Return the result of one request, or None if the method is not known."""
    if method == "initialize":
        return {
            "protocolVersion": params.get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "demo", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": _TOOLS}
    if method == "tools/call":
        with log.open("a") as file:
            file.write(json.dumps(params) + "\n")
        if params["name"] == "boom":
            return {"content": [{"type": "text", "text": "boom"}], "isError": True}
        given = params["arguments"]
        return {"content": [{"type": "text", "text": str(given["a"] + given["b"])}]}
    return {} if method == "ping" else None


def main() -> None:
    """Answer until stdin ends."""
    log = Path(sys.argv[1])
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:  # a notification
            continue
        result = answer(message["method"], message.get("params") or {}, log)
        outcome = {"error": {"code": -32601, "message": "no such method"}} if result is None else {"result": result}
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], **outcome}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
