{{- /* How names of objects begin: the release's name, with the chart's if it is not in there. */}}
{{- define "fairlead.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride }}
{{- $both := ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) }}
{{- default $both .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* The controller's objects. */}}
{{- define "fairlead.controller" -}}
{{ include "fairlead.fullname" . }}-controller
{{- end }}

{{- define "fairlead.serviceAccount" -}}
{{- if not (or .Values.serviceAccount.create .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create is false: write the name of an account that is there in serviceAccount.name" }}
{{- end }}
{{- default (include "fairlead.controller" .) .Values.serviceAccount.name }}
{{- end }}

{{- /* The gateways' objects. */}}
{{- define "fairlead.gateway" -}}
{{ include "fairlead.fullname" . }}-gateway
{{- end }}

{{- define "fairlead.gatewayAccount" -}}
{{- with .Values.gateway.serviceAccount }}
{{- if not (or .create .name) }}
{{- fail "gateway.serviceAccount.create is false: write the name of an account that is there in gateway.serviceAccount.name" }}
{{- end }}
{{- default (include "fairlead.gateway" $) .name }}
{{- end }}
{{- end }}

{{- /* Labels by which the controller's pods are found: these can never change. */}}
{{- define "fairlead.selector" -}}
{{ include "fairlead.anyPod" . }}
app.kubernetes.io/component: controller
{{- end }}

{{- /* The same of the gateways' pods. */}}
{{- define "fairlead.gatewaySelector" -}}
{{ include "fairlead.anyPod" . }}
app.kubernetes.io/component: gateway
{{- end }}

{{- /* The same of all its pods, those of hooks too. */}}
{{- define "fairlead.anyPod" -}}
app.kubernetes.io/name: fairlead
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Labels of every object. */}}
{{- define "fairlead.labels" -}}
app.kubernetes.io/name: fairlead
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: fairlead
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Name, namespace, labels and annotations of an object; its own annotations are `.annotations`, its own labels `.labels`.
       Called with a dict of root, name, and the others if it has them. */}}
{{- define "fairlead.metadata" -}}
name: {{ .name }}
{{- if not .clusterWide }}
namespace: {{ .namespace | default .root.Release.Namespace }}
{{- end }}
labels:
  {{- merge (dict) (.labels | default dict) (include "fairlead.labels" .root | fromYaml) | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
