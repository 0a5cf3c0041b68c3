"""A shop of three services that does wrong what services do wrong: names, lost spans, personal data. It speaks OTLP as JSON.

Every request is a trace: the frontend is asked, asks the backend, which asks the database service. What each of the three has to tell, it sends by itself.
"""

import json
import random
import time
from dataclasses import dataclass, field

MILLISECOND = 1_000_000
# A service that was renamed on the way, and its right name; and one that nobody spelled like the others.
NAMES = {
    "frontend": ["web_frontend"],
    "backend": ["UserAuthService", "user-auth-service", "user_auth_service"],
    "database": ["UserDatabase"],
}
RIGHT_NAMES = {"web-frontend", "user-auth-service", "user-database"}
ENTRY = "GET /checkout 🛒"
# What must not be found in a back end, and where it stands.
SECRETS = ["jane.doe@example.com", "4111111111111111", "hunter2", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLWl0", "+44 20 7946 0958", "s3cr3t"]


def pairs(**given):
    return [{"key": key, "value": text_or_number(content)} for key, content in given.items()]


def text_or_number(content):
    return {"intValue": str(content)} if isinstance(content, int) else {"stringValue": content}


@dataclass
class Request:
    """One request of a customer; what went wrong in it, and what each service has to tell of it."""

    trace: str
    kind: str
    number: int
    lost: bool = False
    told: dict = field(default_factory=dict)

    @property
    def order(self):
        return f"order-{self.number}"

    @property
    def spans(self):
        """How many are sent."""
        return sum(len(spans) for spans in self.told.values())


class Shop:
    """Makes requests out of a seed, so that what chance keeps is the same in every run."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.requests = []
        self.now = time.time_ns()

    def id(self, size):
        return self.random.getrandbits(8 * size).to_bytes(size, "big").hex()

    def request(self, kind="plain", lost=False):
        """`kind` is plain, error or slow; with `lost`, the backend's own span is never sent."""
        asked = Request(self.id(16), kind, len(self.requests), lost)
        lasts = {"slow": 2_600, "error": 90, "plain": 60}[kind]
        began = self.now - 5_000 * MILLISECOND
        self.ids = {name: self.id(8) for name in ("entry", "call", "work", "query", "row")}
        failed = kind == "error"

        def span(name, parent, text, kind, inset, failed=False, **attributes):
            return {
                "traceId": asked.trace,
                "spanId": self.ids[name],
                "parentSpanId": self.ids[parent] if parent else "",
                "name": text,
                "kind": kind,
                "startTimeUnixNano": str(began + inset * MILLISECOND),
                "endTimeUnixNano": str(began + (lasts - inset) * MILLISECOND),
                "attributes": pairs(**attributes),
                "status": {"code": 2, "message": "login failed for jane.doe@example.com"} if failed else {},
            }

        entry = span("entry", None, ENTRY, 2, 0, failed, **{"order.id": asked.order, "enduser.mail": SECRETS[0], "http.response.status_code": 500 if failed else 200})
        call = span("call", "entry", "POST /login", 3, 5, failed, **{"http.request.header.authorization": f"Bearer {SECRETS[3]}", "peer.service": "UserAuthService"})
        work = span("work", "call", "POST /login", 2, 10, failed, **{"user.phone": SECRETS[4], "login.form": json.dumps({"user": 17, "password": SECRETS[2]})})
        query = span("query", "work", "SELECT users 👤", 3, 15, **{"db.system": "postgresql", "db.query.text": "SELECT id FROM users WHERE mail = 'jane.doe@example.com'"})
        row = span("row", "query", "SELECT users 👤", 2, 20, **{"payment.card": SECRETS[1], "db.connection_string": f"postgres://app:{SECRETS[5]}@db.internal/users"})
        asked.told = {"frontend": [entry, call], "backend": [query] if lost else [work, query], "database": [row]}
        self.requests.append(asked)
        return asked

    def bodies(self):
        """What the three services send: each one request with the spans of all that it was asked, the backend one for each of its names."""
        for service, names in NAMES.items():
            for at, name in enumerate(names):
                spans = [span for asked in self.requests if asked.number % len(names) == at for span in asked.told[service]]
                if spans:
                    yield body({"service.name": name, "service.instance.id": f"{service}-{at}"}, spans)

    @property
    def spans(self):
        return sum(asked.spans for asked in self.requests)

    def of_kind(self, kind):
        return [asked for asked in self.requests if asked.kind == kind]


def body(resource, spans):
    """A request of OTLP as JSON."""
    scope = {"scope": {"name": "shop", "version": "1.0"}, "spans": spans}
    return json.dumps({"resourceSpans": [{"resource": {"attributes": pairs(**resource)}, "scopeSpans": [scope]}]}).encode()


def kept_by_chance(trace_id, share):
    """Whether the randomness that all of OpenTelemetry agrees on keeps a trace: the last 56 bits of its id, beside a threshold."""
    return int(trace_id[-14:], 16) >= round((1 - share) * 2**56)
