module meshroot.dev/conformance/hcl

go 1.24.0

require github.com/hashicorp/hcl v1.0.1-vault-7
