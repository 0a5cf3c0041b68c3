{{/* Which configuration each role runs, and what the chart reads out of it. */}}

{{/* The pod's address, as a host before a port. */}}
{{- define "tracetailor.podHost" -}}
{{ ternary "[${env:POD_IP}]" "${env:POD_IP}" (eq .Values.ipFamily "IPv6") }}
{{- end }}

{{/* Where samplers take from routers. */}}
{{- define "tracetailor.tierPort" -}}
4317
{{- end }}

{{/* A role's configuration, as its ConfigMap holds it. Takes root and role. */}}
{{- define "tracetailor.configuration" -}}
{{- include "tracetailor.checkBeforehand" .root -}}
{{- $own := ternary .root.Values.router.config .root.Values.config (eq .role "router") -}}
{{- if $own -}}
{{ include "tracetailor.asWritten" $own }}
{{- else if eq .role "router" -}}
{{ include "tracetailor.routerConfiguration" .root }}
{{- else -}}
{{ include "tracetailor.backendConfiguration" .root }}
{{- end }}
{{- end }}

{{- define "tracetailor.asWritten" -}}
{{ ternary . (toYaml .) (kindIs "string" .) | trim }}
{{- end }}

{{/* The same, read: for what follows from it. Takes root and role. */}}
{{- define "tracetailor.read" -}}
{{- $read := include "tracetailor.configuration" . | fromYaml -}}
{{- if $read.Error -}}
{{ fail (printf "\n\nThe configuration of the %s is no YAML: %s\n" .role $read.Error) }}
{{- end -}}
{{ $read | toJson }}
{{- end }}

{{/* What the Deployment of a role exposes, by name. Takes root and role. */}}
{{- define "tracetailor.ports" -}}
{{- if eq .role "sampler" -}}
{{ dict "otlp-grpc" (include "tracetailor.tierPort" .root | int) | toJson }}
{{- else -}}
{{- $ports := dict -}}
{{- range $name, $port := .root.Values.ports }}{{ if $port }}{{ $_ := set $ports $name ($port | int) }}{{ end }}{{ end -}}
{{ $ports | toJson }}
{{- end }}
{{- end }}

{{/* Every `endpoint` below something, a line each. */}}
{{- define "tracetailor.endpoints" -}}
{{- if kindIs "map" . -}}
{{- range $key, $value := . -}}
{{- if and (eq $key "endpoint") (kindIs "string" $value) -}}
{{ $value }}{{ "\n" }}
{{- else -}}
{{ include "tracetailor.endpoints" $value }}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" . -}}
{{- range . }}{{ include "tracetailor.endpoints" . }}{{ end -}}
{{- end -}}
{{- end }}

{{/* "yes" where one of the endpoints (lines) is this port, open to more than the pod itself; also where a port is not known before it
     runs. Takes endpoints and port. */}}
{{- define "tracetailor.isReachable" -}}
{{- range $endpoint := splitList "\n" .endpoints | compact -}}
{{- $isLocal := regexMatch "^(localhost|127\\.[0-9.]+|\\[::1\\]):" $endpoint -}}
{{- $isKnown := regexMatch ":[0-9]+$" $endpoint -}}
{{- if and (not $isLocal) (or (not $isKnown) (hasSuffix (printf ":%d" ($.port | int)) $endpoint)) -}}yes{{- end -}}
{{- end -}}
{{- end }}

{{/* Where the configuration (read) has its metrics served to Prometheus, a line each. */}}
{{- define "tracetailor.metricsEndpoints" -}}
{{- range $reader := dig "service" "telemetry" "metrics" "readers" list . -}}
{{- with dig "pull" "exporter" "prometheus" dict $reader -}}
{{ .host | default "localhost" }}:{{ .port | default 8888 | int }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- with dig "service" "telemetry" "metrics" "address" "" . }}{{ . }}{{ "\n" }}{{ end -}}
{{- end }}

{{/* "yes" where Prometheus reaches the metrics of a role. Takes root and role. */}}
{{- define "tracetailor.metricsAreReachable" -}}
{{- $endpoints := include "tracetailor.read" . | fromJson | include "tracetailor.metricsEndpoints" -}}
{{ include "tracetailor.isReachable" (dict "endpoints" $endpoints "port" .root.Values.metricsPort) }}
{{- end }}

{{/* Processors in the pipelines of a configuration (read) that need all spans of a trace in one place, a line each. */}}
{{- define "tracetailor.wholeTraceProcessors" -}}
{{- $found := list -}}
{{- range $pipeline := dig "service" "pipelines" dict . -}}
{{- range $id := dig "processors" list ($pipeline | default dict) -}}
{{- if has (splitList "/" $id | first) (list "tail_sampling" "stitch" "groupbytrace") }}{{ $found = append $found $id }}{{ end -}}
{{- end -}}
{{- end -}}
{{ $found | uniq | join ", " }}
{{- end }}

{{/* A duration such as 1m30s in whole seconds, rounded up; nothing for what is none. */}}
{{- define "tracetailor.seconds" -}}
{{- $text := . | toString | replace "µ" "u" -}}
{{- if regexMatch "^([0-9.]+(ns|us|ms|s|m|h))+$|^0$" $text -}}
{{- $sum := 0.0 -}}
{{- $units := dict "ns" 0.000000001 "us" 0.000001 "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 -}}
{{- range $part := regexFindAll "[0-9.]+(ns|us|ms|s|m|h)" $text -1 -}}
{{- $unit := regexFind "[a-z]+$" $part -}}
{{- $sum = addf $sum (mulf (trimSuffix $unit $part | float64) (get $units $unit)) -}}
{{- end -}}
{{ ceil $sum | int }}
{{- end -}}
{{- end }}

{{/* How long a pod may take to stop: to be known as going, to deliver what it holds, and a little. Takes root and role. */}}
{{- define "tracetailor.gracePeriod" -}}
{{- if not (kindIs "invalid" .root.Values.terminationGracePeriodSeconds) -}}
{{ .root.Values.terminationGracePeriodSeconds | int }}
{{- else -}}
{{- $timeout := dig "service" "shutdown_timeout" "30s" (include "tracetailor.read" . | fromJson) -}}
{{- $seconds := include "tracetailor.seconds" $timeout -}}
{{- if eq $seconds "" -}}
{{ fail (printf "\n\nservice.shutdown_timeout of the %s is %v, from which no grace period can be told.\nWrite a duration such as 30s, or set terminationGracePeriodSeconds.\n" .role $timeout) }}
{{- end -}}
{{ add .root.Values.drainSeconds ($seconds | int) 5 }}
{{- end -}}
{{- end }}
