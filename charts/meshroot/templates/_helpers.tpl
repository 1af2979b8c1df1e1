{{/* What every object carries. Call with (dict "root" $ "name" NAME "component" COMPONENT). */}}
{{- define "meshroot.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: meshroot
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* What never changes in the life of a Deployment. */}}
{{- define "meshroot.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- define "meshroot.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "meshroot.cluster" -}}
{{- required "cluster is empty: set it to this cluster's name in Vault, for example --set cluster=cluster1" .Values.cluster -}}
{{- end -}}

{{- define "meshroot.authPath" -}}
{{- .Values.vault.authPath | default (printf "auth/kubernetes-%s" (include "meshroot.cluster" .)) -}}
{{- end -}}

{{/* Pod security "restricted": https://kubernetes.io/docs/concepts/security/pod-security-standards/ */}}
{{- define "meshroot.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "meshroot.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Where pods run. Call with the values of a component and the name: (dict "values" .Values.ca "selector" SELECTOR). */}}
{{- define "meshroot.placement" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- .selector | nindent 8 }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Egress that both components need: names, and the API server. */}}
{{- define "meshroot.commonEgress" -}}
- ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
- ports:
    {{- range .apiServerPorts }}
    - { protocol: TCP, port: {{ . }} }
    {{- end }}
  {{- with .apiServerCidrs }}
  {{- include "meshroot.cidrs" . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "meshroot.cidrs" -}}
to:
{{- range . }}
  - ipBlock: { cidr: {{ . | quote }} }
{{- end }}
{{- end -}}

{{/*
Helm makes the registration of a webhook after Deployments: in one release, pods that need their agents would be made
before anything could inject them, and without their files they would not start by themselves later.
*/}}
{{- define "meshroot.check" -}}
{{- if .Values.injector.enabled -}}
{{- range $part := list "ca" "serve" -}}
{{- $one := get $.Values $part -}}
{{- if and $one.enabled (eq (get $one "signer" | default "file") "file") -}}
{{- fail (printf "injector.enabled and %s.enabled in one release: its pods would be made before the injector is registered. Install two releases: the injector first (namespace vault), then the other with --set injector.enabled=false,%s.enabled=true" $part $part) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
