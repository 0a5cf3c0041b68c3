module tracetailor.test/backends/jaeger

go 1.26.0

tool github.com/jaegertracing/jaeger/cmd/jaeger

require github.com/jaegertracing/jaeger v1.76.0

// As Jaeger's own go.mod has it.
replace github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0
