//! Spans as a Java agent sends them: HTTP server spans, and below them the JDBC client spans of their queries.

use super::super::dice::Dice;
use super::super::otlp::{Event, ExportTraceServiceRequest, KeyValue, ResourceSpans, ScopeSpans, Span, SpanKind, Status, StatusCode};
use super::super::spans::START;
use super::super::value::attribute;
use super::{Payload, custom, filled, places, resource, scope, token, words};

pub(super) fn request(payload: &Payload, dice: &mut Dice) -> ExportTraceServiceRequest {
    let mut places = places(payload);
    let mut spans = 0;
    while spans < payload.items {
        let size = payload.spans_per_trace.max(1).min(payload.items - spans);
        let mut trace = TraceUnderway::begin(payload, dice);
        for _ in 0..size {
            let (resource, scope, span) = trace.next_span(payload, spans, dice);
            places[resource][scope].push(span);
            spans += 1;
        }
    }
    let resource_spans = filled(places).map(|(index, scopes)| ResourceSpans {
        resource: Some(resource(index)),
        scope_spans: scopes.map(|(index, spans)| ScopeSpans { scope: Some(scope(index)), spans, schema_url: schema_url() }).collect(),
        schema_url: schema_url(),
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn schema_url() -> String {
    "https://opentelemetry.io/schemas/1.37.0".to_owned()
}

/// A trace walks through services: a server span, the queries below it, a call to the next service.
struct TraceUnderway {
    id: Vec<u8>,
    /// The server span that the next spans belong to.
    server: Vec<u8>,
    resource: usize,
    now: u64,
    count: usize,
}

impl TraceUnderway {
    fn begin(payload: &Payload, dice: &mut Dice) -> Self {
        let now = START.0 + dice.between(0, 4_000_000_000);
        Self { id: dice.bytes(16), server: Vec::new(), resource: dice.below(payload.resources), now, count: 0 }
    }

    /// The span with the resource and scope that it is sent under. Every other span is a server's, the rest are queries.
    fn next_span(&mut self, payload: &Payload, ordinal: usize, dice: &mut Dice) -> (usize, usize, Span) {
        let is_query = self.count % 2 == 1;
        self.count += 1;
        self.now += dice.between(40_000, 3_000_000);
        let mut span = if is_query { self.query(dice) } else { self.call(payload, dice) };
        if payload.is_error(ordinal) {
            fail(&mut span, dice);
        }
        span.attributes.truncate(payload.attributes);
        let missing = payload.attributes - span.attributes.len();
        span.attributes.extend((0..missing).map(|number| custom(number, dice)));
        (self.resource, usize::from(is_query) % payload.scopes.max(1), span)
    }

    fn call(&mut self, payload: &Payload, dice: &mut Dice) -> Span {
        self.resource = (self.resource + 1 + dice.below(3)) % payload.resources.max(1);
        let parent = std::mem::replace(&mut self.server, dice.bytes(8));
        let method = dice.pick(&words::METHODS);
        let (noun, action) = (dice.pick(&words::NOUNS), dice.pick(&words::ACTIONS));
        let route = format!("/v2/{noun}s/{{id}}/{action}");
        Span {
            name: format!("{method} {route}"),
            kind: SpanKind::Server.into(),
            span_id: self.server.clone(),
            attributes: http_attributes(method, &route, self.resource, dice),
            ..self.span(parent, dice)
        }
    }

    fn query(&mut self, dice: &mut Dice) -> Span {
        let table = dice.pick(&words::NOUNS);
        Span {
            name: format!("SELECT shop.{table}s"),
            kind: SpanKind::Client.into(),
            span_id: dice.bytes(8),
            attributes: query_attributes(table, dice),
            ..self.span(self.server.clone(), dice)
        }
    }

    fn span(&self, parent_span_id: Vec<u8>, dice: &mut Dice) -> Span {
        Span {
            trace_id: self.id.clone(),
            parent_span_id,
            start_time_unix_nano: self.now,
            end_time_unix_nano: self.now + dice.between(90_000, 250_000_000),
            flags: 0x101,
            ..Span::default()
        }
    }
}

fn http_attributes(method: &str, route: &str, resource: usize, dice: &mut Dice) -> Vec<KeyValue> {
    let address = format!("{}.{}.{}.{}", dice.between(11, 223), dice.below(256), dice.below(256), dice.below(256));
    vec![
        attribute("http.request.method", method),
        attribute("url.path", route.replace("{id}", &token(dice, 27))),
        attribute("url.query", format!("cursor={}", token(dice, 12))),
        attribute("http.route", route),
        attribute("http.response.status_code", *dice.pick(&[&200_i64, &200, &200, &201, &204, &304, &404])),
        attribute("server.address", format!("{}.shop", words::service(resource))),
        attribute("client.address", address),
        attribute("session.id", token(dice, 32)),
        attribute("user_agent.original", dice.pick(&words::AGENTS)),
        attribute("thread.name", format!("http-nio-8080-exec-{}", dice.below(200))),
    ]
}

fn query_attributes(table: &str, dice: &mut Dice) -> Vec<KeyValue> {
    let columns: Vec<&str> = (0..3).map(|_| dice.pick(&words::COLUMNS)).collect();
    let statement = format!("SELECT {} FROM {table}s WHERE {} = ?", columns.join(", "), columns[0]);
    vec![
        attribute("db.system.name", "postgresql"),
        attribute("db.namespace", "shop"),
        attribute("db.query.text", statement),
        attribute("db.operation.name", "SELECT"),
        attribute("db.collection.name", format!("{table}s")),
        attribute("server.address", format!("pg-{}.shop", dice.below(6))),
        attribute("db.query.parameter.0", token(dice, 32)),
        attribute("db.response.returned_rows", dice.between(0, 5_000).cast_signed()),
        attribute("thread.id", dice.between(20, 220).cast_signed()),
        attribute("app.correlation_id", token(dice, 36)),
    ]
}

fn fail(span: &mut Span, dice: &mut Dice) {
    let (kind, message) = words::EXCEPTIONS[dice.below(words::EXCEPTIONS.len())];
    let frame = |depth: usize| format!("\n\tat com.shop.{}.Step{depth}.run(Step{depth}.java:{})", words::NOUNS[depth], 20 + 7 * depth);
    let trace: String = (0..10).map(frame).collect();
    let attributes = vec![
        attribute("exception.type", kind),
        attribute("exception.message", message),
        attribute("exception.stacktrace", format!("{kind}: {message}{trace}")),
    ];
    let time_unix_nano = span.end_time_unix_nano;
    span.events.push(Event { time_unix_nano, name: "exception".to_owned(), attributes, dropped_attributes_count: 0 });
    span.status = Some(Status { message: message.to_owned(), code: StatusCode::Error.into() });
}
