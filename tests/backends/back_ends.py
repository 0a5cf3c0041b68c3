"""The back ends: how each is started, and how it is asked for what it keeps. What they answer comes as the same spans."""

import base64
import json
import urllib.parse
from dataclasses import dataclass, field

from harness import HERE, Process, page, ports

KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
CODES = ["UNSET", "OK", "ERROR"]


@dataclass
class Span:
    """A span as a back end gives it back: ids in hex, kind and status by name."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    status: str
    service: str
    attributes: dict = field(default_factory=dict)


def value(any_value):
    ((kind, content),) = any_value.items() if any_value else (("none", None),)
    if kind == "intValue":
        return int(content)
    if kind == "arrayValue":
        return [value(each) for each in content.get("values", [])]
    return content


def attributes(pairs):
    return {pair["key"]: value(pair["value"]) for pair in pairs}


def spans_of(resources, read_id):
    """Spans out of OTLP as JSON, which every back end writes with ids and numbers of its own kind."""
    found = []
    for resource in resources:
        of_resource = attributes(resource.get("resource", {}).get("attributes", []))
        for scope in resource["scopeSpans"]:
            # Of spans that came twice Jaeger shows one, and of the other the empty scope.
            assert scope.get("spans"), "a span has come twice"
            for span in scope["spans"]:
                found.append(
                    Span(
                        trace=read_id(span["traceId"]),
                        id=read_id(span.get("spanId", "")),
                        parent=read_id(span.get("parentSpanId", "")),
                        name=span["name"],
                        kind=named(span.get("kind", 0), KINDS),
                        status=named(span.get("status", {}).get("code", 0), CODES),
                        service=of_resource.get("service.name"),
                        attributes=attributes(span.get("attributes", [])),
                    )
                )
    return found


def named(given, names):
    """A number, or a name with its prefix: SPAN_KIND_SERVER."""
    return names[given] if isinstance(given, int) else given.rsplit("_", 1)[-1]


class BackEnd(Process):
    """`grpc` and `http` are its ports for OTLP."""

    def __init__(self, command, folder, grpc=None, **environment):
        self.grpc, self.http, self.query, self.query_grpc, self.ready, self.members = ports(6)
        self.grpc = grpc or self.grpc
        wanted = {"GRPC": self.grpc, "HTTP": self.http, "QUERY": self.query, "QUERY_GRPC": self.query_grpc, "READY": self.ready, "MEMBERS": self.members}
        super().__init__(folder, command, {name: str(given) for name, given in (wanted | environment).items()})

    def ask(self, path, **parameters):
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        status, text = page(f"http://127.0.0.1:{self.query}{path}{query}", self.headers)
        if status is None:
            raise AssertionError(f"{path}: no answer: {text}. {self.said()}")
        return status, text

    headers = ()


class Jaeger(BackEnd):
    """Jaeger v2, with its storage in memory."""

    needed = "jaeger"

    def __init__(self, grpc=None):
        super().__init__(["jaeger", "--config", str(HERE / "jaeger/jaeger.yaml")], "jaeger", grpc)
        self.wait_until(lambda: page(f"http://127.0.0.1:{self.ready}/status")[0] == 200)

    def trace(self, trace_id):
        """Its spans; none where it is not known."""
        status, text = self.ask(f"/api/v3/traces/{trace_id}")
        if status == 404:
            return []
        assert status == 200, f"{status} {text}"
        return spans_of(json.loads(text)["result"]["resourceSpans"], str)

    def services(self):
        status, text = self.ask("/api/v3/services")
        assert status == 200, f"{status} {text}"
        return set(json.loads(text)["services"])

    def of_service(self, service):
        """All traces that a service has part in, as one answer, and as text."""
        times = {"start_time_min": "2000-01-01T00:00:00Z", "start_time_max": "2100-01-01T00:00:00Z"}
        asked = {"service_name": service, "num_traces": "10000"} | times
        # Version 2.20 spells them differently.
        asked |= {"serviceName": service, "searchDepth": "10000", "startTimeMin": times["start_time_min"], "startTimeMax": times["start_time_max"]}
        status, text = self.ask("/api/v3/traces", **{f"query.{key}": given for key, given in asked.items()})
        if status == 404:
            return [], ""
        assert status == 200, f"{status} {text}"
        return spans_of(json.loads(text)["result"]["resourceSpans"], str), text

    def with_attribute(self, service, key, text):
        """Ids of traces of which a span has this attribute."""
        status, said = self.ask("/api/traces", service=service, limit="10000", tags=json.dumps({key: text}))
        assert status == 200, f"{status} {said}"
        return {trace["traceID"].zfill(32) for trace in json.loads(said)["data"]}

    def names(self, service):
        """Names of its spans."""
        status, text = self.ask("/api/v3/operations", service=service)
        assert status == 200, f"{status} {text}"
        return {each["name"] for each in json.loads(text)["operations"]}


def of_base64(text):
    return base64.b64decode(text).hex()


class Tempo(BackEnd):
    """Tempo as one process. `tenants` makes it ask for one."""

    needed = "tempo"

    def __init__(self, tenants=False, rate=15_000_000, burst=20_000_000, trace=5_000_000):
        command = ["tempo", f"-config.file={HERE}/tempo/tempo.yaml", "-config.expand-env=true"]
        super().__init__(command, "tempo", TENANTS=str(tenants).lower(), RATE=rate, BURST=burst, TRACE=trace)
        self.wait_until(lambda: page(f"http://127.0.0.1:{self.query}/ready")[0] == 200)

    def of(self, tenant):
        """Asked as this tenant from here on."""
        self.headers = {"X-Scope-OrgID": tenant}
        return self

    def trace(self, trace_id):
        """Its spans by both of its APIs, which must say the same."""
        status, text = self.ask(f"/api/v2/traces/{trace_id}")
        assert status == 200, f"{status} {text}"
        second = spans_of(json.loads(text)["trace"].get("resourceSpans", []), of_base64)
        status, text = self.ask(f"/api/traces/{trace_id}")
        assert status in (200, 404), f"{status} {text}"
        first = spans_of(json.loads(text)["batches"], of_base64) if status == 200 else []
        if sorted(map(repr, first)) == sorted(map(repr, second)):
            return first
        # One was asked earlier than the other: whoever waits asks again.
        return []

    def search(self, query, limit=1000):
        """Traces that TraceQL finds, by id."""
        status, text = self.ask("/api/search", q=query, limit=limit, spss=100)
        assert status == 200, f"{status} {text}"
        return {trace["traceID"].zfill(32): trace for trace in json.loads(text).get("traces", [])}

    def services(self):
        status, text = self.ask("/api/search/tag/service.name/values")
        assert status == 200, f"{status} {text}"
        return set(json.loads(text)["tagValues"])

    def of_service(self, service):
        """All traces that a service has part in, and as text."""
        found, texts = [], []
        for trace_id in self.search(f"{{ resource.service.name = {json.dumps(service)} }}"):
            found += self.trace(trace_id)
            texts.append(self.ask(f"/api/v2/traces/{trace_id}")[1])
        return found, "\n".join(texts)

    def with_attribute(self, service, key, text):
        """Ids of traces of which a span has this attribute."""
        query = f"{{ resource.service.name = {json.dumps(service)} && span.{key} = {json.dumps(text)} }}"
        return set(self.search(query))

    def names(self, service):
        """Names of its spans."""
        return {span.name for span in self.of_service(service)[0] if span.service == service}
