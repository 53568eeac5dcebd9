{{- /* A role with `.rules`, and its binding to `.account` of the release's namespace: for the whole cluster if `.clusterWide`, else in
       `.namespace` or, without one, in the release's own. */}}
{{- define "fairlead.granted" }}
{{- $kind := ternary "ClusterRole" "Role" (.clusterWide | default false) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- include "fairlead.metadata" . | nindent 2 }}
rules:
{{ .rules }}
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
