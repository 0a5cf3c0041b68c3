{{/* What cannot be right is refused here, before anything is installed, with what would be right. Each refusal has a test. */}}

{{- define "tracetailor.checks" -}}
{{- include "tracetailor.checkBeforehand" . -}}
{{- include "tracetailor.check.router" . -}}
{{- range $role := include "tracetailor.roles" . | fromJsonArray -}}
{{- $asked := dict "root" $ "role" $role -}}
{{- include "tracetailor.check.routing" $asked -}}
{{- include "tracetailor.check.listeners" $asked -}}
{{- include "tracetailor.check.health" $asked -}}
{{- include "tracetailor.check.admin" $asked -}}
{{- include "tracetailor.check.scrapes" $asked -}}
{{- include "tracetailor.check.autoscaling" $asked -}}
{{- end -}}
{{- include "tracetailor.check.contradictions" . -}}
{{- end }}

{{/* Without these there is no configuration to look at. */}}
{{- define "tracetailor.checkBeforehand" -}}
{{- include "tracetailor.check.image" . -}}
{{- include "tracetailor.check.source" . -}}
{{- include "tracetailor.check.backend" . -}}
{{- end }}

{{- define "tracetailor.refuse" -}}
{{- fail (printf "\n\n%s\n" (trim .)) -}}
{{- end }}

{{- define "tracetailor.check.image" -}}
{{- if not .Values.image.repository -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- include "tracetailor.refuse" (printf `image.repository is not set: there is no public image. Build one from the repository and push it where your cluster pulls from:

    podman build --file Containerfile --tag REGISTRY/tracetailor:%s .
    podman push REGISTRY/tracetailor:%s

(docker does as well.) Then add

    --set image.repository=REGISTRY/tracetailor` $tag $tag) -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.source" -}}
{{- if and .Values.backend .Values.config -}}
{{- include "tracetailor.refuse" (printf `Both backend (%s) and config are set, and nothing is merged. Take one of them out:
backend renders a whole configuration, config is used as it is written.` .Values.backend) -}}
{{- else if not (or .Values.backend .Values.config) -}}
{{- include "tracetailor.refuse" `Neither backend nor config is set, so there is nothing to run. Either

    --set backend=jaeger --set jaeger.endpoint=HOST:4317        (or tempo, or coralogix)

or write the gateway's configuration below config: in your values.` -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.backend" -}}
{{- if has .Values.backend (list "jaeger" "tempo") -}}
{{- if not (get (get .Values .Values.backend) "endpoint") -}}
{{- include "tracetailor.refuse" (printf `backend: %s needs to know where it is: --set %s.endpoint=HOST:4317, its port for OTLP over gRPC.` .Values.backend .Values.backend) -}}
{{- end -}}
{{- else if eq .Values.backend "coralogix" -}}
{{- range $key, $example := dict "domain" "eu1.coralogix.com" "applicationName" "shop" -}}
{{- if not (get $.Values.coralogix $key) -}}
{{- include "tracetailor.refuse" (printf `backend: coralogix needs coralogix.%s: --set coralogix.%s=%s, say.` $key $key $example) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.router" -}}
{{- if and .Values.router.config (ne .Values.topology "tiered") -}}
{{- include "tracetailor.refuse" `router.config is set, and topology: single has no routers. Set topology: tiered, or take it out.` -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.routing" -}}
{{- $own := include "tracetailor.scale" . | fromJson -}}
{{- $holders := include "tracetailor.read" . | fromJson | include "tracetailor.wholeTraceProcessors" -}}
{{- $isRouted := or (eq .role "sampler") .root.Values.tracesRoutedById -}}
{{- if and $holders $own.isSeveral (not $isRouted) -}}
{{- include "tracetailor.refuse" (printf `More than one %s is asked for, and its pipelines have %s, which must see all spans of a trace.
Spread over several replicas a trace would be judged in pieces. Either

    --set topology=tiered            routers in front lead each trace to one sampler
    --set tracesRoutedById=true      says that whatever sends here does so already

or stay with one replica.` .role $holders) -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.listeners" -}}
{{- $endpoints := include "tracetailor.endpoints" (get (include "tracetailor.read" . | fromJson) "receivers") -}}
{{- range $name, $port := include "tracetailor.ports" . | fromJson -}}
{{- if not (include "tracetailor.isReachable" (dict "endpoints" $endpoints "port" $port)) -}}
{{- include "tracetailor.refuse" (printf `The Service of the %s has port %s (%v), and no receiver of its configuration listens there for others than the pod itself.
In the configuration write

    endpoint: "${env:POD_IP}:%v"

or, if it is not wanted, take it out of the Service: --set ports.%s=null` $.role $name ($port | int) ($port | int) $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.health" -}}
{{- $read := include "tracetailor.read" . | fromJson -}}
{{- $port := .root.Values.healthPort | int -}}
{{- $isThere := false -}}
{{- range $id := dig "service" "extensions" list $read -}}
{{- if eq (splitList "/" $id | first) "health_check" -}}
{{- $endpoint := dig $id "endpoint" "" (dig "extensions" dict $read) -}}
{{- if include "tracetailor.isReachable" (dict "endpoints" $endpoint "port" $port) }}{{ $isThere = true }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if not $isThere -}}
{{- include "tracetailor.refuse" (printf `Kubernetes probes the %s at port %d (healthPort), and its configuration has no health_check there. In the configuration write

    extensions:
      health_check: {endpoint: "${env:POD_IP}:%d"}
    service:
      extensions: [health_check]` .role $port $port) -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.admin" -}}
{{- range $id, $extension := dig "extensions" dict (include "tracetailor.read" . | fromJson) -}}
{{- if eq (splitList "/" $id | first) "admin" -}}
{{- range $endpoint := include "tracetailor.endpoints" $extension | splitList "\n" | compact -}}
{{- if not (regexMatch "^(localhost|127\\.[0-9.]+|\\[::1\\]):|^unix:" $endpoint) -}}
{{- include "tracetailor.refuse" (printf `The admin pages of the %s would be open at %s to everybody in the cluster: there is no password before them.
Leave them where they are, at 127.0.0.1:8889, and reach them with kubectl port-forward.` $.role $endpoint) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.scrapes" -}}
{{- $values := .root.Values -}}
{{- if or $values.podMonitor.enabled $values.serviceMonitor.enabled -}}
{{- if not (include "tracetailor.metricsAreReachable" .) -}}
{{- include "tracetailor.refuse" (printf `Prometheus is to scrape the %s at port %d (metricsPort), and its configuration serves no metrics there. In the configuration write

    service:
      telemetry:
        metrics:
          readers:
            - pull: {exporter: {prometheus: {host: "${env:POD_IP}", port: %d}}}` .role ($values.metricsPort | int) ($values.metricsPort | int)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.autoscaling" -}}
{{- $own := include "tracetailor.scale" . | fromJson -}}
{{- if $own.autoscaling.enabled -}}
{{- if gt ($own.autoscaling.minReplicas | int) ($own.autoscaling.maxReplicas | int) -}}
{{- include "tracetailor.refuse" (printf `autoscaling of the %s: minReplicas (%v) is above maxReplicas (%v).` .role $own.autoscaling.minReplicas $own.autoscaling.maxReplicas) -}}
{{- end -}}
{{- if not (or $own.autoscaling.cpu $own.autoscaling.memory) -}}
{{- include "tracetailor.refuse" (printf `autoscaling of the %s goes by nothing: set its cpu or its memory.` .role) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "tracetailor.check.contradictions" -}}
{{- if and .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- include "tracetailor.refuse" `podMonitor and serviceMonitor are both enabled, so every pod would be scraped twice. Take one of them.` -}}
{{- end -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- if and (not (kindIs "invalid" $budget.minAvailable)) (not (kindIs "invalid" $budget.maxUnavailable)) -}}
{{- include "tracetailor.refuse" `podDisruptionBudget has both minAvailable and maxUnavailable, and Kubernetes takes one. Set the other to null.` -}}
{{- end -}}
{{- range $name, $ingress := .Values.ingresses -}}
{{- if not (get $.Values.ports $ingress.port) -}}
{{- include "tracetailor.refuse" (printf `ingresses.%s leads to port %s, which is not among ports: %s.` $name $ingress.port (keys $.Values.ports | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- end }}
