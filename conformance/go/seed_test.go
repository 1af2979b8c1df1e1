// The procedure that people follow to keep Istio's CA in Vault, by the official client library.
package seed

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	vault "github.com/hashicorp/vault/api"
)

func client(t *testing.T) *vault.Client {
	t.Helper()
	if os.Getenv("VAULT_ADDR") == "" {
		t.Skip("VAULT_ADDR names no server")
	}
	c, err := vault.NewClient(vault.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("VAULT_TOKEN") == "" {
		open(t, c)
	}
	return c
}

// open initializes and unseals a new store, which then writes its audit log to AUDIT_FILE.
func open(t *testing.T, c *vault.Client) {
	t.Helper()
	made := must[*vault.InitResponse](t)(c.Sys().Init(&vault.InitRequest{SecretShares: 5, SecretThreshold: 3}))
	for _, share := range made.KeysB64[:3] {
		must[*vault.SealStatusResponse](t)(c.Sys().Unseal(share))
	}
	if seal := must[*vault.SealStatusResponse](t)(c.Sys().SealStatus()); seal.Sealed {
		t.Fatal("three of five keys did not open it")
	}
	c.SetToken(made.RootToken)
	ok(t, c.Sys().EnableAuditWithOptions("calls", &vault.EnableAuditOptions{
		Type: "file", Options: map[string]string{"file_path": os.Getenv("AUDIT_FILE")},
	}))
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func status(err error) int {
	var response *vault.ResponseError
	if errors.As(err, &response) {
		return response.StatusCode
	}
	return 0
}

func TestSeed(t *testing.T) {
	c := client(t)
	self := must[*vault.Secret](t)(c.Auth().Token().LookupSelf())
	if self.Data["path"] != "auth/token/root" {
		t.Fatalf("root token of %v", self.Data["path"])
	}

	// logins: a mount per cluster
	for _, cluster := range []string{"go1", "go2"} {
		ok(t, c.Sys().EnableAuthWithOptions("kubernetes-"+cluster, &vault.EnableAuthOptions{Type: "kubernetes"}))
		must[*vault.Secret](t)(c.Logical().Write("auth/kubernetes-"+cluster+"/config", map[string]any{
			"kubernetes_host":      os.Getenv("KUBERNETES_HOST"),
			"kubernetes_ca_cert":   read(t, os.Getenv("KUBERNETES_CA")),
			"disable_local_ca_jwt": true,
		}))
		// bundles: KV version 1
		ok(t, c.Sys().Mount("kubernetes-"+cluster+"-secrets", &vault.MountInput{Type: "kv"}))
		ok(t, c.KVv1("kubernetes-"+cluster+"-secrets").Put(t.Context(), "istiod-service/certs", map[string]any{
			"ca_key": "key of " + cluster, "ca_cert": "c", "cert_chain": "cc", "root_cert": "r",
		}))
		ok(t, c.Sys().PutPolicy("istiod-certs-"+cluster,
			`path "kubernetes-`+cluster+`-secrets/istiod-service/certs" { capabilities = ["read"] }`))
		must[*vault.Secret](t)(c.Logical().Write("auth/kubernetes-"+cluster+"/role/istiod", map[string]any{
			"bound_service_account_names":      "istiod",
			"bound_service_account_namespaces": "istio-system",
			"policies":                         "istiod-certs-" + cluster,
			"ttl":                              "24h",
		}))
	}
	keys := must[*vault.Secret](t)(c.Logical().List("kubernetes-go1-secrets/istiod-service")).Data["keys"]
	if fmt.Sprint(keys) != "[certs]" {
		t.Fatalf("listed %v", keys)
	}
	mounts := must[map[string]*vault.MountOutput](t)(c.Sys().ListMounts())
	if mounts["kubernetes-go1-secrets/"].Type != "kv" {
		t.Fatal("the mount is not listed")
	}

	// what istiod's agent does
	login := must[*vault.Secret](t)(c.Logical().Write("auth/kubernetes-go1/login", map[string]any{
		"role": "istiod", "jwt": os.Getenv("ISTIOD_JWT"),
	}))
	agent := must[*vault.Client](t)(c.Clone())
	agent.SetToken(login.Auth.ClientToken)
	if login.Auth.LeaseDuration != 24*3600 || !login.Auth.Renewable {
		t.Fatalf("token of %d s, renewable %v", login.Auth.LeaseDuration, login.Auth.Renewable)
	}
	own := must[*vault.KVSecret](t)(agent.KVv1("kubernetes-go1-secrets").Get(t.Context(), "istiod-service/certs"))
	if own.Data["ca_key"] != "key of go1" {
		t.Fatalf("read %v", own.Data)
	}
	_, err := agent.KVv1("kubernetes-go2-secrets").Get(t.Context(), "istiod-service/certs")
	if status(err) != http.StatusForbidden || !strings.Contains(err.Error(), "permission denied") {
		t.Fatalf("the other cluster's bundle: %v", err)
	}
	must[*vault.Secret](t)(agent.Auth().Token().RenewSelf(0))
	ok(t, agent.Auth().Token().RevokeSelf(""))
	if _, err := agent.Auth().Token().LookupSelf(); status(err) != http.StatusForbidden {
		t.Fatalf("a revoked token: %v", err)
	}

	// a watcher, as the agent renews
	child := must[*vault.Secret](t)(c.Auth().Token().Create(&vault.TokenCreateRequest{Policies: []string{"default"}, TTL: "1h"}))
	watcher := must[*vault.LifetimeWatcher](t)(c.NewLifetimeWatcher(&vault.LifetimeWatcherInput{Secret: child}))
	go watcher.Start()
	defer watcher.Stop()
	if renewal := <-watcher.RenewCh(); renewal.Secret.Auth.LeaseDuration != 3600 {
		t.Fatalf("renewed for %d s", renewal.Secret.Auth.LeaseDuration)
	}
}

// With TLS the library asks for HTTP/2, and the store speaks it.
func TestHTTP2(t *testing.T) {
	if !strings.HasPrefix(os.Getenv("VAULT_ADDR"), "https:") {
		t.Skip("plain HTTP")
	}
	c := must[*vault.Client](t)(vault.NewClient(vault.DefaultConfig()))
	answer, err := c.CloneConfig().HttpClient.Get(os.Getenv("VAULT_ADDR") + "/v1/sys/health")
	ok(t, err)
	defer answer.Body.Close()
	if answer.ProtoMajor != 2 {
		t.Fatalf("answered by %s", answer.Proto)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	return string(must[[]byte](t)(os.ReadFile(path)))
}
