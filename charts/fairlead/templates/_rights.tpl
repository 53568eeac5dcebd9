{{/* Made by `make crds` from operator/fairlead/kube/rights.py; change it there. */}}

{{- /* Needed in each namespace that is looked after. */}}
{{- define "fairlead.rights.controller.namespaced" -}}
- apiGroups:
  - fairlead.dev
  resources:
  - clusters
  verbs:
  - get
  - list
  - watch
  - patch
- apiGroups:
  - fairlead.dev
  resources:
  - clusters/status
  verbs:
  - patch
- apiGroups:
  - fairlead.dev
  resources:
  - jobs
  verbs:
  - get
  - list
  - watch
  - patch
  - delete
- apiGroups:
  - fairlead.dev
  resources:
  - jobs/status
  verbs:
  - patch
- apiGroups:
  - fairlead.dev
  resources:
  - sessions
  verbs:
  - get
  - list
  - watch
  - patch
- apiGroups:
  - fairlead.dev
  resources:
  - sessions/status
  verbs:
  - patch
- apiGroups:
  - ''
  resources:
  - services
  verbs:
  - get
  - list
  - watch
  - create
  - patch
- apiGroups:
  - discovery.k8s.io
  resources:
  - endpointslices
  verbs:
  - list
  - watch
- apiGroups:
  - ''
  resources:
  - secrets
  verbs:
  - get
- apiGroups:
  - ''
  resources:
  - secrets
  verbs:
  - create
- apiGroups:
  - ''
  resources:
  - configmaps
  verbs:
  - get
- apiGroups:
  - ''
  resources:
  - namespaces
  verbs:
  - get
- apiGroups:
  - events.k8s.io
  resources:
  - events
  verbs:
  - create
{{- end }}

{{- /* Needed for the whole cluster, whichever namespaces are looked after. */}}
{{- define "fairlead.rights.controller.clusterWide" -}}
- apiGroups:
  - ''
  resources:
  - namespaces
  verbs:
  - get
  resourceNames:
  - kube-system
{{- end }}

{{- /* Needed in the release's own namespace. */}}
{{- define "fairlead.rights.controller.own" -}}
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - create
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - get
  - patch
  resourceNames:
  - fairlead-controller
- apiGroups:
  - ''
  resources:
  - configmaps
  verbs:
  - create
  - get
  - list
  - patch
  - delete
- apiGroups:
  - ''
  resources:
  - secrets
  verbs:
  - get
  resourceNames:
  - fairlead-installation
- apiGroups:
  - ''
  resources:
  - secrets
  verbs:
  - create
{{- end }}

{{- /* Needed in each namespace that is looked after. */}}
{{- define "fairlead.rights.gateway.namespaced" -}}
- apiGroups:
  - fairlead.dev
  resources:
  - clusters
  verbs:
  - list
  - watch
- apiGroups:
  - fairlead.dev
  resources:
  - sessions
  verbs:
  - list
  - watch
- apiGroups:
  - discovery.k8s.io
  resources:
  - endpointslices
  verbs:
  - get
  - list
  - watch
  - create
  - patch
  - delete
- apiGroups:
  - ''
  resources:
  - secrets
  verbs:
  - get
- apiGroups:
  - ''
  resources:
  - namespaces
  verbs:
  - get
{{- end }}

{{- /* Needed for the whole cluster, whichever namespaces are looked after. */}}
{{- define "fairlead.rights.gateway.clusterWide" -}}
[]
{{- end }}

{{- /* Needed in the release's own namespace. */}}
{{- define "fairlead.rights.gateway.own" -}}
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - create
  - get
  - list
  - patch
  - delete
{{- end }}

{{- /* Needed in each namespace that is looked after. */}}
{{- define "fairlead.rights.uninstall.namespaced" -}}
- apiGroups:
  - fairlead.dev
  resources:
  - clusters
  verbs:
  - get
  - list
  - patch
- apiGroups:
  - fairlead.dev
  resources:
  - jobs
  verbs:
  - get
  - list
  - patch
- apiGroups:
  - fairlead.dev
  resources:
  - sessions
  verbs:
  - get
  - list
  - patch
- apiGroups:
  - events.k8s.io
  resources:
  - events
  verbs:
  - create
{{- end }}

{{- /* Needed for the whole cluster, whichever namespaces are looked after. */}}
{{- define "fairlead.rights.uninstall.clusterWide" -}}
[]
{{- end }}

{{- /* Needed in the release's own namespace. */}}
{{- define "fairlead.rights.uninstall.own" -}}
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - create
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - get
  - patch
  resourceNames:
  - fairlead-controller
- apiGroups:
  - ''
  resources:
  - configmaps
  verbs:
  - create
  - get
  - list
  - patch
{{- end }}
