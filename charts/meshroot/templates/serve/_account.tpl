{{- define "meshroot.serveAccount" -}}
{{- .Values.serve.serviceAccount.name | default .Values.serve.name -}}
{{- end -}}

{{/* Files beside mesh.yaml that hold no secret: whom to believe as Vault, and what mesh.yaml names by a relative path. */}}
{{- define "meshroot.serveFiles" -}}
{{- with .Values.vault.caCert }}
vault-ca.pem: {{ printf "%s\n" (trim .) | toJson }}
{{- end }}
{{- range $name, $text := .Values.serve.files }}
{{ $name }}: {{ $text | toJson }}
{{- end }}
{{- end -}}

{{/* Its own login at Vault, as a token that an injected agent keeps fresh. */}}
{{- define "meshroot.serveAnnotations" -}}
vault.hashicorp.com/agent-inject: "true"
vault.hashicorp.com/agent-inject-token: "true"
vault.hashicorp.com/agent-init-first: "true"
vault.hashicorp.com/role: {{ .Values.serve.role | quote }}
vault.hashicorp.com/auth-path: {{ include "meshroot.authPath" . | quote }}
vault.hashicorp.com/agent-run-as-user: "65532"
vault.hashicorp.com/agent-run-as-group: "65532"
{{- with include "meshroot.serveFiles" . | trim }}
checksum/files: {{ sha256sum . | quote }}
{{- end }}
{{- end -}}
