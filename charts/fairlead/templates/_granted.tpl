{{- /* What gives `.account` of the release's namespace the rights of `.table`: in all namespaces, or in those that are watched; and in its
       own. The objects are called `.name`, and have `.annotations` if there are some. */}}
{{- define "fairlead.granted" }}
{{- $root := .root }}
{{- $namespaced := include (printf "fairlead.rights.%s.namespaced" .table) $root | fromYamlArray }}
{{- $clusterWide := include (printf "fairlead.rights.%s.clusterWide" .table) $root | fromYamlArray }}
{{- $own := include (printf "fairlead.rights.%s.own" .table) $root | fromYamlArray }}
{{- $unique := printf "%s-%s" .name $root.Release.Namespace }}
{{- with $root.Values.rbac.secretNames }}
{{- $narrowed := list }}
{{- range $namespaced }}
{{- if not (has "secrets" .resources) }}
{{- $narrowed = append $narrowed . }}
{{- else if not (has "create" .verbs) }}
{{- $only := concat $root.Values.rbac.secretNames (ternary (list "fairlead-installation") list (eq $.table "controller")) }}
{{- $narrowed = append $narrowed (merge (dict "resourceNames" $only) .) }}
{{- end }}
{{- end }}
{{- $namespaced = $narrowed }}
{{- end }}
{{- with $root.Values.watchNamespaces }}
{{- range . }}
{{- include "fairlead.role" (merge (dict "name" $unique "namespace" . "rules" $namespaced) $) }}
{{- end }}
{{- else }}
{{- $clusterWide = concat $namespaced $clusterWide }}
{{- end }}
{{- if $clusterWide }}
{{- include "fairlead.role" (merge (dict "name" $unique "clusterWide" true "rules" $clusterWide) .) }}
{{- end }}
{{- include "fairlead.role" (merge (dict "rules" $own) .) }}
{{- end }}

{{- /* A role with `.rules`, and its binding: for the whole cluster if `.clusterWide`, else in `.namespace` or, without one, in the release's own.
       Cluster-wide objects have the release's namespace in their name, since another release may have the same name elsewhere. */}}
{{- define "fairlead.role" }}
{{- $kind := ternary "ClusterRole" "Role" (.clusterWide | default false) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- include "fairlead.metadata" . | nindent 2 }}
rules:
{{ toYaml .rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- include "fairlead.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
- kind: ServiceAccount
  name: {{ .account }}
  namespace: {{ .root.Release.Namespace }}
{{- end }}
