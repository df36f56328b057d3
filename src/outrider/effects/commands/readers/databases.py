"""Readers of what changes a database's content by way of a framework or over HTTP."""

from __future__ import annotations

import ipaddress
import re

from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.sql_drops import migrates_away
from outrider.effects.shell.state import Flow
from outrider.effects.shell.tree import Arg


def migrations(run: Invocation) -> Flow:
    """Tools that run a project's migrations: going forward is everyday, throwing all away is asked about."""
    run.read_options()
    run.apply_options()
    what = migrates_away([word.text for word in run.words])
    if what:
        run.emit("deploy", "tool", f"database:{what}", run.at, ("forced",))
    run.opaque("runs code of the project")
    return Flow(origin="file")


SERVICES = {
    "9200": "search", "9201": "search", "7700": "search", "8108": "search", "8983": "search", "6333": "vectors",
    "8200": "vault", "8500": "consul", "4646": "nomad", "2375": "docker", "2376": "docker", "2379": "etcd",
    "15672": "rabbitmq", "5984": "couchdb", "8086": "influxdb", "9090": "prometheus", "9093": "alertmanager",
    "8001": "gateway", "8444": "gateway", "8474": "proxy", "9000": "objects", "7474": "graph", "8529": "documents",
    "6443": "cluster", "10250": "cluster", "9600": "logs", "5601": "logs", "8089": "logs", "8123": "columns",
    "8161": "broker", "8080/manager": "tomcat",
}  # fmt: skip
"""Ports at which services keep data behind HTTP, as their makers ship them, by what they keep."""
_TAKES = re.compile(
    r"(?i)/(_delete_by_query|_close|_shutdown|delete_series|delete-batch|documents/delete|actions/delete|swap-indexes|"
    r"_forcemerge|_update_by_query|clean_tombstones|-/quit|sys/seal|seal|prune|force-leave|_restore|_rollover|"
    r"_shrink|purge|truncate)(?:[/?]|\Z)"
)
_CHANGES = re.compile(r"(?i)/(_settings|_cluster/settings|_cluster/reroute|_ilm/|_slm/|_security/|_template)")
_SEARCHES = re.compile(
    r"(?i)/(_search|_count|_msearch|_validate|_explain|_mget|_sql|search|query|multi-search)(?:[/?]|\Z)"
)
_INSIDE = (".local", ".internal", ".lan", ".localdomain", ".home.arpa", ".svc", ".intranet", ".corp")


def asked_over_http(run: Invocation, method: str, url: str, at: Arg) -> bool:
    """Note what an HTTP request does to a service that keeps data; return whether it only looks at one inside.

    A service is known by the port that its makers ship it with, and so is the program of the project itself at any
    other: ``DELETE`` there is a test of what was written.
    """
    host, port, path = _parts(url)
    service = SERVICES.get(port, "")
    if not service:
        return False
    if method == "DELETE" or (method in {"POST", "PUT", "PATCH"} and _TAKES.search(path)):
        run.emit("deploy", "tool", f"database:{service}-delete", at, ("forced",))
        return False
    if method == "PUT" and _CHANGES.search(path):
        run.emit("deploy", "tool", f"database:{service}-settings", at)
        return False
    looks = method in {"GET", "HEAD"} or (method == "POST" and _SEARCHES.search(path) is not None)
    return looks and _is_inside(host)


def _parts(url: str) -> tuple[str, str, str]:
    rest = url.partition("://")[2] or url
    host, slash, path = rest.partition("/")
    name, _, port = host.rpartition("@")[2].partition(":")
    return name.lower(), port, slash + path


def _is_inside(host: str) -> bool:
    """Whether a host is of this network by its name or address, so that asking it tells nobody outside."""
    if host.endswith(_INSIDE):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_link_local


READERS = {"migrations": migrations}
