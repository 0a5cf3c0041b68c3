// Sends one trace with OpenTelemetry's SDK for Go to two places, and prints its id.
//
//	sender PROTOCOL GATEWAY BACK_END        PROTOCOL is grpc or http
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func exporter(ctx context.Context, protocol, place string) (sdk.SpanExporter, error) {
	if protocol == "grpc" {
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(place), otlptracegrpc.WithInsecure())
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(place+"/v1/traces"), otlptracehttp.WithInsecure())
}

func main() {
	ctx, failed := context.Background(), false
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		fmt.Fprintln(os.Stderr, err)
		failed = true
	}))
	attributes := resource.NewSchemaless(attribute.String("service.name", "sender"), attribute.StringSlice("process.tags", []string{"a", "b"}))
	options := []sdk.TracerProviderOption{sdk.WithResource(attributes)}
	for _, place := range os.Args[2:] {
		to, err := exporter(ctx, os.Args[1], place)
		if err != nil {
			panic(err)
		}
		options = append(options, sdk.WithBatcher(to))
	}
	provider := sdk.NewTracerProvider(options...)
	shop := provider.Tracer("shop", trace.WithInstrumentationVersion("1.2.3"))

	within, parent := shop.Start(ctx, "GET /checkout 🛒", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("text", "ünï 🎉"), attribute.Int("whole", 42), attribute.Float64("part", 0.25), attribute.Bool("yes", true), attribute.IntSlice("list", []int{1, 2})))
	link := trace.Link{SpanContext: parent.SpanContext(), Attributes: []attribute.KeyValue{attribute.String("why", "because")}}
	_, child := shop.Start(within, "charge", trace.WithSpanKind(trace.SpanKindClient), trace.WithLinks(link))
	child.AddEvent("tried", trace.WithAttributes(attribute.Int("again", 3)))
	child.RecordError(errors.New("no money 💸"))
	child.SetStatus(codes.Error, "declined")
	child.End()
	parent.End()
	fmt.Println(parent.SpanContext().TraceID())
	if err := provider.Shutdown(ctx); err != nil || failed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
