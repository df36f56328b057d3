"""Credentials for a command that the kernel holds: asked for on the agent's own socket, the only way there is."""

from __future__ import annotations

import json
import sys

import pytest

from outrider.events.credential import CredentialIssued

CHARTER = """
[charter]
name = "lender"
extends = "base"

[may]
read = ["repo/**", "@system", "@tmp"]
write = ["repo/**", "@tmp"]
exec = ["*"]
opaque = "confined"
use_credential = ["brokered:audience:https://vault.example"]
"""
CREDENTIAL = ("credential", "token", "--audience", "https://vault.example")
ASK = """
import os, socket
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(os.environ["OUTRIDER_SOCKET"])
    sock.sendall(b"GET /token?audience=https://vault.example HTTP/1.1\\r\\nHost: outrider\\r\\n\\r\\n")
    data = b""
    while part := sock.recv(65536):
        data += part
print(data.partition(b"\\r\\n\\r\\n")[2].decode())
"""


@pytest.fixture
def lending(cell):
    """A cell with a charter that lends."""
    (cell.home.charters / "lender.toml").write_text(CHARTER)
    cell.control(do="roll", charter="lender", dry=True)  # Looks at the charters again.
    return cell


def test_the_command_line_tool_answers_a_held_command(lending):
    """As git's helper and for the AWS tools it has to run inside, whatever else the charter lets be read."""
    done = lending.run(sys.executable, "-m", "outrider", *CREDENTIAL, charter="lender")
    assert done.code == 0, done
    [issued] = lending.events(CredentialIssued)
    assert lending.control(do="issuer")["history"]["keys"][0]["kid"] == issued.kid
    assert done.out.count(".") == 2
    done = lending.sh(f"{sys.executable} -m outrider {' '.join(CREDENTIAL)}", charter="coder")
    assert done.code != 0
    assert len(lending.events(CredentialIssued)) == 1


def test_a_held_command_gets_its_token_on_its_own_socket(lending):
    cell = lending
    done = cell.python(ASK, charter="lender")
    assert done.code == 0, done
    said = json.loads(done.out)
    [born] = [event for event in cell.births() if event.charter == "lender"]
    assert said["subject"].endswith(f"/agent/lender/{born.agent}")
    [issued] = cell.events(CredentialIssued)
    assert (issued.agent, issued.n) == (born.agent, said["event"])
    refused = cell.control(do="credential", service="token", audience="https://vault.example")
    assert "living agent" in refused["error"]
