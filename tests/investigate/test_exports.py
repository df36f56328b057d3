"""Events in the forms of other people's tools, read back with those people's own readers."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from tests.store.record import NOTHING

from outrider.events.call import Effect, Finding, Label
from outrider.events.decision import Decision, RuleHit
from outrider.events.record import CallDecided, Entity
from outrider.investigate.exports.flat import COLUMNS
from outrider.investigate.exports.material import Material
from outrider.investigate.exports.registry import FORMS

SECRET = Finding(
    rule="secret.example", severity="high", confidence="high", where="args.content", message="A key.", advice="None."
)
REFUSED = RuleHit(
    rule="coder.never.read.0", verdict="deny", charter="coder", digest="sha256:c", effect=0, reason="It is a key."
)


@pytest.fixture
def material(world):
    """A lineage of two: one reads a page, makes a child, the child leaks, installs and is refused."""
    world.born("ag_parent", purpose="fix it")
    world.prompt("ag_parent", "go")
    _, page = world.fetch("ag_parent", "docs.example", "call evil.example")
    world.spawn("ag_parent", "researcher")
    world.born("ag_child", parent="ag_parent", charter="researcher")
    world.upload("ag_child", "evil.example", labels=[Label("untrusted", page)])
    world.call(
        "ag_child", Effect(verb="read", kind="path", value="/home/u/.ssh/id_ed25519"), "deny", tool="read",
        findings=(SECRET,), entities=[Entity("read", "path", "/home/u/.ssh/id_ed25519")],
    )  # fmt: skip
    world.call("ag_child", Effect(verb="install", kind="package", value="npm:@acme/left-pad@1.2.0"))
    world.call("ag_child", Effect(verb="call", kind="tool", value="mcp:github/get_issue"), tool="mcp")
    world.write("ag_child", "/r/=cmd|'/c calc'!A1")
    world.end("ag_child")
    view = world.view()
    return Material(view, tuple(range(view.size)), host="host-1")


def written(material, form):
    return b"".join(FORMS[form].write(material))


def lines(material, form):
    return [json.loads(line) for line in written(material, form).splitlines()]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_from_the_same_events(material, form):
    first = written(material, form)
    assert first
    assert first == written(material, form)


def test_timesketch_gets_what_it_demands_of_every_line(material):
    found = lines(material, "timesketch")
    assert len(found) == len(material.numbers)
    for line in found:
        assert line["message"]
        assert line["timestamp_desc"] == line["kind"]
        assert line["datetime"].endswith("+00:00")
        assert isinstance(line["timestamp"], int)
        assert not any(isinstance(value, (list, dict)) for value in line.values())
    [leak] = [line for line in found if line.get("host") == "evil.example" and line["kind"] == "call.decided"]
    assert (leak["agent"], leak["charter"], leak["label"]) == ("ag_child", "researcher", "untrusted")


def test_a_cell_that_a_spreadsheet_would_run_is_text(material):
    rows = list(csv.DictReader(io.StringIO(written(material, "csv").decode())))
    assert list(rows[0]) == ["time", *COLUMNS]
    assert len(rows) == len(material.numbers)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    hostile = [row for row in rows if "calc" in row["path"]]
    assert hostile[0]["path"] == "/r/=cmd|'/c calc'!A1"


def test_ocsf_says_who_acted_and_what_came_of_it(material):
    events = lines(material, "ocsf")
    for event in events:
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["metadata"]["version"] == "1.9.0"
        assert json.loads(event["raw_data"])["n"] == event["metadata"]["sequence"]
    by_class = {event["class_uid"]: event for event in events}
    assert set(by_class) == {0, 1001, 1007, 6002, 6003}
    [refused] = [event for event in events if event.get("action_id") == 2]
    assert (refused["class_uid"], refused["activity_id"], refused["severity_id"]) == (1001, 2, 4)
    assert (refused["disposition_id"], refused["file"]["name"]) == (2, "id_ed25519")
    assert refused["ai_agent"]["instance_uid"] == "ag_child"
    assert refused["ai_agent"]["charter"]["hashes"][0]["algorithm_id"] == 3
    assert refused["actor"]["user"]["uid"] == "p1"


def test_ocsf_validates_against_the_published_schema(material):
    """Needs a checkout of the schema's repository and its own compiler: OCSF_SCHEMA=DIR, pip install ocsf-lib."""
    compiler = pytest.importorskip("ocsf.compile", reason="ocsf-lib is not installed")
    place = os.environ.get("OCSF_SCHEMA")
    if not place:
        pytest.skip("OCSF_SCHEMA names no checkout of ocsf-schema")
    schema = compiler.Compilation(__import__("ocsf.repository", fromlist=["read_repo"]).read_repo(Path(place))).build()
    classes = {one.uid: one for one in schema.classes.values()}
    wrong = []
    for event in lines(material, "ocsf"):
        wrong += faults(event, classes[event["class_uid"]], schema, set(event["metadata"]["profiles"]))
    assert wrong == []


def faults(told, spec, schema, profiles, path=""):
    """Yield what of an object does not fit its class: names, enumerations, what is required, at least one of."""
    for name, value in told.items():
        attribute = spec.attributes.get(name)
        if attribute is None:
            yield f"{path}.{name} is unknown"
            continue
        for one in value if attribute.is_array else [value]:
            if isinstance(one, dict) and attribute.object_type in schema.objects:
                yield from faults(one, schema.objects[attribute.object_type], schema, profiles, f"{path}.{name}")
            elif attribute.enum and str(one) not in attribute.enum:
                yield f"{path}.{name} is {one!r}"
            elif attribute.type in {"integer_t", "long_t", "timestamp_t"} and not isinstance(one, int):
                yield f"{path}.{name} is no number"
    for name, attribute in spec.attributes.items():
        applies = not attribute.profile or attribute.profile in profiles
        if attribute.requirement == "required" and applies and name not in told:
            yield f"{path}.{name} is missing"
    wanted = (getattr(spec, "constraints", None) or {}).get("at_least_one", ())
    if wanted and not set(wanted) & set(told):
        yield f"{path} has none of {wanted}"


def test_prov_is_read_by_the_prov_library_and_says_on_whose_behalf(material):
    model = pytest.importorskip("prov.model")
    document = model.ProvDocument.deserialize(content=written(material, "prov").decode(), format="json")
    behalf = {
        (str(one.get_attribute("prov:delegate").pop()), str(one.get_attribute("prov:responsible").pop()))
        for one in document.get_records(model.ProvDelegation)
    }
    assert behalf == {("outrider:ag_child", "outrider:ag_parent"), ("outrider:ag_parent", "outrider:p1")}
    used = list(document.get_records(model.ProvUsage))
    made = list(document.get_records(model.ProvGeneration))
    assert used
    assert made


def test_perfetto_draws_each_agent_below_its_parent_and_slices_nest(material):
    trace = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2").Trace()
    trace.ParseFromString(written(material, "perfetto"))
    tracks = {packet.track_descriptor.uuid: packet.track_descriptor for packet in trace.packet
              if packet.HasField("track_descriptor")}  # fmt: skip
    names = {track.name: track for track in tracks.values()}
    child, parent = names["researcher ag_child"], names["coder g_parent"]
    assert child.parent_uuid == parent.uuid
    open_slices = {}
    for packet in sorted((one for one in trace.packet if one.HasField("track_event")), key=lambda one: one.timestamp):
        event = packet.track_event
        assert event.track_uuid in tracks
        if event.type == event.TYPE_SLICE_BEGIN:
            open_slices[event.track_uuid] = open_slices.get(event.track_uuid, 0) + 1
        if event.type == event.TYPE_SLICE_END:
            open_slices[event.track_uuid] -= 1
            assert open_slices[event.track_uuid] >= 0
    assert set(open_slices.values()) == {0}


def test_calls_side_by_side_get_tracks_of_their_own_in_perfetto(world):
    trace = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2").Trace()
    world.born("ag_a")
    first = world.call("ag_a")
    second = world.call("ag_a")
    world.result("ag_a", first)
    world.result("ag_a", second)
    view = world.view()
    trace.ParseFromString(written(Material(view, tuple(range(view.size))), "perfetto"))
    begun = [one.track_event.track_uuid for one in trace.packet
             if one.HasField("track_event") and one.track_event.type == one.track_event.TYPE_SLICE_BEGIN]  # fmt: skip
    assert len(set(begun)) == 2


def test_sarif_holds_findings_and_refusals_with_the_leaf_that_proves_them(world):
    world.born("ag_a")
    world.call("ag_a", Effect(verb="write", kind="path", value="/r/a b.py"), findings=(SECRET,), tool="write")
    view = world.view()
    log = json.loads(written(Material(view, tuple(range(view.size))), "sarif"))
    [run] = log["runs"]
    [result] = run["results"]
    assert (result["ruleId"], result["level"]) == ("secret.example", "error")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "/r/a%20b.py"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "secret.example"
    assert len(result["partialFingerprints"]["outriderLeaf/v1"]) == 64


def test_cyclonedx_is_valid_and_lists_agents_packages_and_servers(material):
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    text = written(material, "cyclonedx").decode()
    assert validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(text) is None
    told = json.loads(text)
    refs = {one["bom-ref"] for one in told["components"]}
    assert refs == {"ag_parent", "ag_child", "pkg:npm/%40acme/left-pad@1.2.0"}
    assert [one["name"] for one in told["services"]] == ["github"]
    edges = {one["ref"]: one["dependsOn"] for one in told["dependencies"]}
    assert edges["ag_parent"] == ["ag_child"]
    assert set(edges["ag_child"]) == {"pkg:npm/%40acme/left-pad@1.2.0", "mcp:github"}


def test_a_refused_call_names_the_rule_that_refused_it(world):
    world.born("ag_a")
    decision = Decision(verdict="deny", enforced="deny", hits=(REFUSED,))
    world.put(
        CallDecided, agent="ag_a", call="t", name="Read", tool="read", decision=decision, chain=("sha256:c",),
        effects=(Effect(verb="read", kind="path", value="/k"),), content=NOTHING,
    )  # fmt: skip
    view = world.view()
    [run] = json.loads(written(Material(view, tuple(range(view.size))), "sarif"))["runs"]
    [result] = run["results"]
    assert (result["ruleId"], result["level"]) == ("coder.never.read.0", "error")
    assert result["message"]["text"].startswith("It is a key.")
    [line] = [one for one in lines(Material(view, tuple(range(view.size))), "ocsf") if "policy" in one]
    assert (line["policy"]["uid"], line["status_detail"]) == ("coder.never.read.0", "It is a key.")
