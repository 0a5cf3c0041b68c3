{{/* How objects are called, and how they find each other. */}}

{{- define "tracetailor.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough that -sampler-headless fits behind it. */}}
{{- define "tracetailor.fullname" -}}
{{- $name := include "tracetailor.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ .Values.fullnameOverride | default $full | trunc 46 | trimSuffix "-" }}
{{- end }}

{{/* What there is a Deployment of, as a list: one gateway, or routers and samplers. */}}
{{- define "tracetailor.roles" -}}
{{ ternary (list "router" "sampler") (list "gateway") (eq .Values.topology "tiered") | toJson }}
{{- end }}

{{/* The role that clients talk to. */}}
{{- define "tracetailor.entrance" -}}
{{ ternary "router" "gateway" (eq .Values.topology "tiered") }}
{{- end }}

{{/* The name of a role's Deployment and of what belongs to it. Takes root and role. */}}
{{- define "tracetailor.workload" -}}
{{- $full := include "tracetailor.fullname" .root -}}
{{ ternary $full (printf "%s-%s" $full .role) (eq .role "gateway") }}
{{- end }}

{{/* The Service by which routers look the samplers up. */}}
{{- define "tracetailor.samplers" -}}
{{ include "tracetailor.fullname" . }}-sampler-headless
{{- end }}

{{/* What a Service selects by, and never changes. Takes root and role. */}}
{{- define "tracetailor.selector" -}}
app.kubernetes.io/name: {{ include "tracetailor.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* The labels of everything that belongs to a role. Takes root and role. */}}
{{- define "tracetailor.labels" -}}
{{ include "tracetailor.selector" . }}
{{ include "tracetailor.origin" .root }}
{{- end }}

{{/* The labels of what belongs to the release as a whole. */}}
{{- define "tracetailor.commonLabels" -}}
app.kubernetes.io/name: {{ include "tracetailor.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{ include "tracetailor.origin" . }}
{{- end }}

{{- define "tracetailor.origin" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "tracetailor.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "tracetailor.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "tracetailor.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}
