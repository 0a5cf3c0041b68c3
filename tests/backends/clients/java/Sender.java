// Sends one trace with OpenTelemetry's SDK for Java to two places, and prints its id.
//
//     java -cp JARS Sender.java PROTOCOL GATEWAY BACK_END        PROTOCOL is grpc or http

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.concurrent.TimeUnit;

class Sender {
    public static void main(String[] arguments) {
        var about = Attributes.builder().put("service.name", "sender").put("process.tags", "a", "b").build();
        var building = SdkTracerProvider.builder().setResource(Resource.create(about));
        for (int place = 1; place < arguments.length; place++) {
            building.addSpanProcessor(BatchSpanProcessor.builder(exporter(arguments[0], arguments[place])).build());
        }
        var provider = building.build();
        var shop = provider.tracerBuilder("shop").setInstrumentationVersion("1.2.3").build();

        var told = Attributes.builder().put("text", "ünï 🎉").put("whole", 42).put("part", 0.25).put("yes", true).put("list", 1, 2).build();
        var parent = shop.spanBuilder("GET /checkout 🛒").setSpanKind(SpanKind.SERVER).setAllAttributes(told).startSpan();
        var because = Attributes.of(AttributeKey.stringKey("why"), "because");
        Span child = shop.spanBuilder("charge").setParent(Context.root().with(parent)).setSpanKind(SpanKind.CLIENT)
                .addLink(parent.getSpanContext(), because).startSpan();
        child.addEvent("tried", Attributes.of(AttributeKey.longKey("again"), 3L));
        child.recordException(new IllegalStateException("no money 💸"));
        child.setStatus(StatusCode.ERROR, "declined");
        child.end();
        parent.end();
        System.out.println(parent.getSpanContext().getTraceId());
        if (!provider.shutdown().join(20, TimeUnit.SECONDS).isSuccess()) {
            System.err.println("not everything was sent");
            System.exit(1);
        }
        // Or threads of the HTTP client would linger for a minute.
        System.exit(0);
    }

    static SpanExporter exporter(String protocol, String place) {
        return switch (protocol) {
            case "grpc" -> OtlpGrpcSpanExporter.builder().setEndpoint(place).build();
            default -> OtlpHttpSpanExporter.builder().setEndpoint(place + "/v1/traces").build();
        };
    }
}
