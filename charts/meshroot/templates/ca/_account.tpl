{{- define "meshroot.caAccount" -}}
{{- .Values.ca.serviceAccount.name | default .Values.ca.name -}}
{{- end -}}

{{/* Whether the CA asks a Vault for signatures, and so needs no bundle and no agent. */}}
{{- define "meshroot.keyless" -}}
{{- if ne .Values.ca.signer "file" }}yes{{ end -}}
{{- end -}}

{{/* Public certificates that a keyless CA reads as files: whom to believe as Vault, and the root. */}}
{{- define "meshroot.publicFiles" -}}
{{- with .Values.vault.caCert }}
vault-ca.pem: {{ printf "%s\n" (trim .) | toJson }}
{{- end }}
{{- with .Values.ca.rootCert }}
root-cert.pem: {{ printf "%s\n" (trim .) | toJson }}
{{- end }}
{{- end -}}

{{/* Flags of a keyless CA: its signer, and how it gets to it. */}}
{{- define "meshroot.signerArgs" -}}
{{- $ca := .Values.ca -}}
- --signer={{ $ca.signer }}
- --vault-address={{ required "vault.address is empty: set it to where pods reach Vault, for example --set vault.address=https://vault.example:8200" .Values.vault.address }}
- --vault-auth-path={{ trimPrefix "auth/" (include "meshroot.authPath" .) }}
- --vault-role={{ $ca.role }}
- --vault-jwt-file=/var/run/secrets/meshroot-vault/token
{{- if .Values.vault.caCert }}
- --vault-ca-cert=/etc/meshroot-ca/vault-ca.pem
{{- end }}
{{- if eq $ca.signer "vault-pki" }}
- --vault-pki={{ $ca.vaultPki.mount }}
- --vault-pki-role={{ required "ca.vaultPki.role is empty: set it to the role of the PKI engine that signs, for example --set ca.vaultPki.role=istio" $ca.vaultPki.role }}
{{- else }}
- --vault-transit={{ $ca.vaultTransit.mount }}
- --vault-transit-key={{ required "ca.vaultTransit.key is empty: set it to the key of the transit engine, for example --set ca.vaultTransit.key=cluster1" $ca.vaultTransit.key }}
- --vault-kv-path={{ required "ca.vaultTransit.kvPath is empty: set it to the KV path with ca_cert, cert_chain and root_cert, for example --set ca.vaultTransit.kvPath=secret/data/cluster1" $ca.vaultTransit.kvPath }}
{{- end }}
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
