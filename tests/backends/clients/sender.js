// Sends one trace with OpenTelemetry's SDK for Node to two places, and prints its id.
//
//     node sender.js PROTOCOL GATEWAY BACK_END        PROTOCOL is grpc, http or json
const { context, diag, trace, DiagConsoleLogger, DiagLogLevel, SpanKind, SpanStatusCode } = require('@opentelemetry/api');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const [protocol, ...places] = process.argv.slice(2);
diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
const packages = { grpc: 'grpc', http: 'proto', json: 'http' };
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${packages[protocol]}`);
const path = protocol === 'grpc' ? '' : '/v1/traces';
const spanProcessors = places.map((place) => new BatchSpanProcessor(new OTLPTraceExporter({ url: `${place}${path}` })));
const resource = resourceFromAttributes({ 'service.name': 'sender', 'process.tags': ['a', 'b'] });
const tracer = new NodeTracerProvider({ resource, spanProcessors });
const shop = tracer.getTracer('shop', '1.2.3');

const parent = shop.startSpan('GET /checkout 🛒', { kind: SpanKind.SERVER, attributes: { text: 'ünï 🎉', whole: 42, part: 0.25, yes: true, list: [1, 2] } });
const child = shop.startSpan('charge', { kind: SpanKind.CLIENT, links: [{ context: parent.spanContext(), attributes: { why: 'because' } }] }, trace.setSpan(context.active(), parent));
child.addEvent('tried', { again: 3 });
child.recordException(new Error('no money 💸'));
child.setStatus({ code: SpanStatusCode.ERROR, message: 'declined' });
child.end();
parent.end();
console.log(parent.spanContext().traceId);
tracer.shutdown().catch((error) => { console.error(error); process.exitCode = 1; });
