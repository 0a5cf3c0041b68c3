{{/* The configurations that the chart writes itself. What is here is read by people: it is the example they begin with. */}}

{{/* What all of them have around their pipelines. */}}
{{- define "tracetailor.surroundings" -}}
{{- $host := include "tracetailor.podHost" . -}}
extensions:
  health_check: {endpoint: "{{ $host }}:{{ .Values.healthPort }}"}
{{- end }}

{{- define "tracetailor.receivers" -}}
{{- $host := include "tracetailor.podHost" . -}}
receivers:
  otlp:
{{- if eq .Values.backend "coralogix" }}
    # Clients that name themselves in headers keep their names.
    metadata_attributes: {cx-application-name: cx.application.name, cx-subsystem-name: cx.subsystem.name}
{{- end }}
    protocols:
      grpc: {endpoint: "{{ $host }}:4317"}
      http: {endpoint: "{{ $host }}:4318"}
{{- end }}

{{- define "tracetailor.ownTelemetry" }}
  extensions: [health_check]
  telemetry:
    metrics:
      readers:
        - pull: {exporter: {prometheus: {host: "${env:POD_IP}", port: {{ .Values.metricsPort }}}}}
{{- end }}

{{/* For one back end: everything is kept. */}}
{{- define "tracetailor.backendConfiguration" -}}
# Rendered for backend: {{ .Values.backend }}. To change it, copy it to `config` in your values and take `backend` out of them.
{{ include "tracetailor.surroundings" . }}

{{ include "tracetailor.receivers" . }}

processors:
  # 80 % of the limit that the container has.
  memory_limiter: {check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20}
  # Marks what traces lack, and changes nothing else.
  stitch: {mode: annotate}
  # Every trace is held for ten seconds, and kept. Put your policies in the place of this one.
  tail_sampling:
    decision_wait: 10s
    policies:
      - {name: everything, type: always_sample}
  batch: {}

exporters:
{{- if eq .Values.backend "jaeger" }}
{{- include "tracetailor.exporter.jaeger" . | nindent 2 }}
{{- else if eq .Values.backend "tempo" }}
{{- include "tracetailor.exporter.tempo" . | nindent 2 }}
{{- else if eq .Values.backend "coralogix" }}
{{- include "tracetailor.exporter.coralogix" . | nindent 2 }}
{{- end }}

service:
{{- include "tracetailor.ownTelemetry" . }}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, stitch, tail_sampling, batch], exporters: [{{ include "tracetailor.exporterOf" . }}]}
{{- if eq .Values.backend "coralogix" }}
    logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [coralogix]}
    metrics: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [coralogix]}
{{- end }}
{{- end }}

{{- define "tracetailor.exporterOf" -}}
{{ ternary "coralogix" (printf "otlp_grpc/%s" .Values.backend) (eq .Values.backend "coralogix") }}
{{- end }}

{{- define "tracetailor.exporter.jaeger" -}}
otlp_grpc/jaeger:
  backend: jaeger
  endpoint: {{ .Values.jaeger.endpoint | quote }}
  tls: {{ .Values.jaeger.tls | toJson }}
{{- end }}

{{- define "tracetailor.exporter.tempo" -}}
otlp_grpc/tempo:
  backend: tempo
  endpoint: {{ .Values.tempo.endpoint | quote }}
  tls: {{ .Values.tempo.tls | toJson }}
{{- with .Values.tempo.tenant }}
  headers: {X-Scope-OrgID: {{ . | quote }}}
{{- end }}
{{- end }}

{{- define "tracetailor.exporter.coralogix" -}}
coralogix:
  domain: {{ .Values.coralogix.domain | quote }}
  private_key: ${env:CORALOGIX_PRIVATE_KEY}
  # The first of these attributes that a resource has names it, the constant what has none.
  application_name: {{ .Values.coralogix.applicationName | quote }}
  application_name_attributes: [cx.application.name, service.namespace, k8s.namespace.name]
{{- with .Values.coralogix.subsystemName }}
  subsystem_name: {{ . | quote }}
{{- end }}
  subsystem_name_attributes: [cx.subsystem.name, service.name]
{{- end }}

{{/* For routers: each trace to one sampler, whatever the signals of the samplers are. */}}
{{- define "tracetailor.routerConfiguration" -}}
{{- $samplers := printf "%s.%s.svc.%s" (include "tracetailor.samplers" .) .Release.Namespace .Values.clusterDomain -}}
{{- $sampler := include "tracetailor.read" (dict "root" . "role" "sampler") | fromJson -}}
{{- $signals := list -}}
{{- range $id, $pipeline := dig "service" "pipelines" dict $sampler -}}
{{- range $pipeline.receivers -}}
{{- /* Not what a connector brings: that is made by the samplers. */ -}}
{{- if hasKey $sampler.receivers . }}{{ $signals = append $signals (splitList "/" $id | first) }}{{ end -}}
{{- end -}}
{{- end -}}
{{ include "tracetailor.surroundings" . }}

{{ include "tracetailor.receivers" . }}

processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20}

exporters:
  # All spans of a trace, and its logs, go to the sampler that the trace's id falls to; metrics go by their service.
  load_balancing:
    protocol:
      otlp: {tls: {insecure: true}}
    resolver:
      dns: {hostname: "{{ $samplers }}", port: {{ include "tracetailor.tierPort" . }}, interval: 5s}

service:
{{- include "tracetailor.ownTelemetry" . }}
  pipelines:
{{- range $signal := $signals | uniq }}
    {{ $signal }}: {receivers: [otlp], processors: [memory_limiter], exporters: [load_balancing]}
{{- end }}
{{- end }}
