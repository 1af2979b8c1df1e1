{{- define "meshroot.caAccount" -}}
{{- .Values.ca.serviceAccount.name | default .Values.ca.name -}}
{{- end -}}

{{- define "meshroot.bundlePath" -}}
{{- .Values.ca.bundlePath | default (printf "kubernetes-%s-secrets/%sistiod-service/certs" (include "meshroot.cluster" .) (ternary "data/" "" (eq (int .Values.ca.kvVersion) 2))) -}}
{{- end -}}

{{/* Who logs in where, and the four files of the bundle; the key for the CA's own user only. */}}
{{- define "meshroot.bundleAnnotations" -}}
{{- $path := include "meshroot.bundlePath" . -}}
{{- $data := ternary ".Data.data" ".Data" (eq (int .Values.ca.kvVersion) 2) -}}
vault.hashicorp.com/agent-inject: "true"
vault.hashicorp.com/agent-init-first: "true"
vault.hashicorp.com/role: {{ .Values.ca.role | quote }}
vault.hashicorp.com/auth-path: {{ include "meshroot.authPath" . | quote }}
vault.hashicorp.com/template-static-secret-render-interval: {{ .Values.ca.refresh | quote }}
vault.hashicorp.com/agent-run-as-user: "65532"
vault.hashicorp.com/agent-run-as-group: "65532"
vault.hashicorp.com/agent-inject-perms-ca-key.pem: "0400"
{{- range $file, $key := dict "ca-key.pem" "ca_key" "ca-cert.pem" "ca_cert" "root-cert.pem" "root_cert" "cert-chain.pem" "cert_chain" }}
vault.hashicorp.com/agent-inject-secret-{{ $file }}: {{ $path | quote }}
vault.hashicorp.com/agent-inject-template-{{ $file }}: {{ printf "{{- with secret %q -}}\n{{ %s.%s }}\n{{ end -}}\n" $path $data $key | toJson }}
{{- end }}
{{- end -}}
