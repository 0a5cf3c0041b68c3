{{/* The pod of a role, and how many there are of it. */}}

{{/* Replicas, autoscaling and resources of a role, and whether it may come to several pods. Takes root and role. */}}
{{- define "tracetailor.scale" -}}
{{- $own := ternary .root.Values.router .root.Values (eq .role "router") -}}
{{- $isSeveral := or (gt ($own.replicas | int) 1) $own.autoscaling.enabled -}}
{{ dict "replicas" ($own.replicas | int) "autoscaling" $own.autoscaling "resources" $own.resources "isSeveral" $isSeveral | toJson }}
{{- end }}

{{- define "tracetailor.arguments" -}}
- --config=/etc/tracetailor/gateway.yaml
- --watch
{{- with .root.Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Takes root and role. */}}
{{- define "tracetailor.environment" -}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- if and (contains "${env:CORALOGIX_PRIVATE_KEY}" (include "tracetailor.configuration" .)) (not (hasKey .root.Values.env "CORALOGIX_PRIVATE_KEY")) }}
{{- $key := .root.Values.coralogix.privateKey }}
- name: CORALOGIX_PRIVATE_KEY
  valueFrom: {secretKeyRef: {name: {{ $key.secret | quote }}, key: {{ $key.key | quote }}}}
{{- end }}
{{- range $name, $value := .root.Values.env }}
- name: {{ $name }}
{{- if kindIs "string" $value }}
  value: {{ $value | quote }}
{{- else }}
  valueFrom: {secretKeyRef: {name: {{ $value.secret | quote }}, key: {{ $value.key | quote }}}}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes root and the name of the ConfigMap. */}}
{{- define "tracetailor.volumes" -}}
- name: configuration
  configMap: {name: {{ .configMap }}}
{{- range $name, $volume := .root.Values.volumes }}
- name: {{ $name }}
  {{- toYaml $volume.source | nindent 2 }}
{{- end }}
{{- end }}

{{/* The folder is mounted, not the file: Kubernetes never replaces a file that is mounted alone. */}}
{{- define "tracetailor.mounts" -}}
- name: configuration
  mountPath: /etc/tracetailor
  readOnly: true
{{- range $name, $volume := .root.Values.volumes }}
- name: {{ $name }}
  mountPath: {{ $volume.at }}
  readOnly: {{ ne $volume.readOnly false }}
{{- end }}
{{- end }}

{{/* What needs another pod when it changes. The configuration is not in it: that is watched. Takes root and role. */}}
{{- define "tracetailor.startChecksum" -}}
{{- $volumes := include "tracetailor.volumes" (dict "root" .root "configMap" (include "tracetailor.workload" .)) -}}
{{ list (include "tracetailor.arguments" .) (include "tracetailor.environment" .) $volumes (include "tracetailor.mounts" .) | join "\n" | sha256sum }}
{{- end }}

{{/* What every pod of the release has, jobs and tests included. */}}
{{- define "tracetailor.everyPod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tracetailor.everyContainer" -}}
image: {{ include "tracetailor.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}

{{- define "tracetailor.container" -}}
name: tracetailor
{{ include "tracetailor.everyContainer" .root }}
args:
  {{- include "tracetailor.arguments" . | nindent 2 }}
env:
  {{- include "tracetailor.environment" . | nindent 2 }}
ports:
{{- range $name, $port := include "tracetailor.ports" . | fromJson }}
  - {name: {{ $name }}, containerPort: {{ $port | int }}}
{{- end }}
  - {name: health, containerPort: {{ .root.Values.healthPort }}}
{{- if include "tracetailor.metricsAreReachable" . }}
  - {name: metrics, containerPort: {{ .root.Values.metricsPort }}}
{{- end }}
startupProbe:
  httpGet: {path: /live, port: health}
  periodSeconds: 1
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /live, port: health}
  periodSeconds: 10
readinessProbe:
  httpGet: {path: /ready, port: health}
  periodSeconds: 5
{{- if .root.Values.drainSeconds }}
lifecycle:
  preStop:
    sleep: {seconds: {{ .root.Values.drainSeconds }}}
{{- end }}
resources: {{- toYaml (include "tracetailor.scale" . | fromJson).resources | nindent 2 }}
volumeMounts:
  {{- include "tracetailor.mounts" . | nindent 2 }}
{{- end }}

{{- define "tracetailor.pod" -}}
serviceAccountName: {{ include "tracetailor.serviceAccount" .root }}
{{ include "tracetailor.everyPod" .root }}
terminationGracePeriodSeconds: {{ include "tracetailor.gracePeriod" . }}
{{- with .root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if (include "tracetailor.scale" . | fromJson).isSeveral }}
{{- with .root.Values.spreadOver }}
topologySpreadConstraints:
{{- range . }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "tracetailor.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}
containers:
  - {{- include "tracetailor.container" . | nindent 4 }}
volumes:
  {{- include "tracetailor.volumes" (dict "root" .root "configMap" (include "tracetailor.workload" .)) | nindent 2 }}
{{- end }}
