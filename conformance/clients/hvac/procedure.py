"""The seed's whole procedure, and logins and tokens, through hvac (PyPI) against any Vault API.

VAULT_ADDR, VAULT_CACERT (with TLS), KUBERNETES_ADDR (an API server that answers TokenReviews) and ISTIOD_JWT come from the
environment; VAULT_TOKEN too when the store is open already, else it is initialized and unsealed here, and told to write
its audit log to AUDIT_FILE. Prints one line per step; exits with 1 at the first that goes wrong.
"""

import os
import sys

import hvac
from hvac import exceptions

address = os.environ["VAULT_ADDR"]
verify = os.environ.get("VAULT_CACERT", True)
root = hvac.Client(url=address, token=os.environ.get("VAULT_TOKEN"), verify=verify)
steps = []


def client_of(token=None):
    return hvac.Client(url=address, token=token, verify=verify)


def step(function):
    steps.append(function)
    return function


def must_fail(kind, text, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        assert text in str(error), f"{text!r} is not in {error}"
    else:
        raise AssertionError(f"{call} should have failed with {kind.__name__}")


@step
def opening():
    """From nothing to an open store that writes down who asks for what."""
    if root.token is None:
        assert not root.sys.is_initialized()
        made = root.sys.initialize(secret_shares=5, secret_threshold=3)
        assert root.sys.is_sealed()
        root.sys.submit_unseal_keys(made["keys_base64"][:3])
        root.token = made["root_token"]
    assert not root.sys.is_sealed()
    if "AUDIT_FILE" in os.environ:
        root.sys.enable_audit_device("file", path="calls", options={"file_path": os.environ["AUDIT_FILE"]})
        assert "calls/" in root.sys.list_enabled_audit_devices()["data"]


@step
def the_seed():
    """Two clusters, each istiod reads its own bundle and not the other one."""
    bundle = {"ca_key": "key", "ca_cert": "cert", "root_cert": "root", "cert_chain": "chain"}
    assert root.is_authenticated()
    for cluster in ("cluster1", "cluster2"):
        auth, kv = f"kubernetes-{cluster}", f"kubernetes-{cluster}-secrets"
        root.sys.enable_auth_method("kubernetes", path=auth)
        root.auth.kubernetes.configure(
            kubernetes_host=os.environ["KUBERNETES_ADDR"],
            kubernetes_ca_cert="-----BEGIN CERTIFICATE-----\nnot looked at for http\n-----END CERTIFICATE-----",
            token_reviewer_jwt="reviewer",
            mount_point=auth,
        )
        root.sys.enable_secrets_engine("kv", path=kv, options={"version": "1"})
        root.secrets.kv.v1.create_or_update_secret("istiod-service/certs", secret=bundle, mount_point=kv)
        rule = f'path "{kv}/istiod-service/certs" {{ capabilities = ["read"] }}'
        folder = root.secrets.kv.v1.list_secrets("", mount_point=kv)["data"]["keys"]
        leaf = root.secrets.kv.v1.list_secrets("istiod-service", mount_point=kv)["data"]["keys"]
        assert (folder, leaf) == (["istiod-service/"], ["certs"]), (folder, leaf)
        assert root.secrets.kv.v1.read_secret("istiod-service/certs", mount_point=kv)["data"] == bundle
        root.sys.create_or_update_policy(f"istiod-certs-{cluster}", rule)
        root.auth.kubernetes.create_role(
            "istiod", "istiod", "istio-system", policies=f"istiod-certs-{cluster}", ttl="24h", mount_point=auth
        )
    istiod = client_of()
    made = istiod.auth.kubernetes.login("istiod", os.environ["ISTIOD_JWT"], mount_point="kubernetes-cluster1")
    assert made["auth"]["lease_duration"] == 86400, made
    read = istiod.secrets.kv.v1.read_secret("istiod-service/certs", mount_point="kubernetes-cluster1-secrets")
    assert read["data"] == bundle, read
    must_fail(
        exceptions.Forbidden,
        "permission denied",
        istiod.secrets.kv.v1.read_secret,
        "istiod-service/certs",
        mount_point="kubernetes-cluster2-secrets",
    )
    istiod.auth.token.renew_self()
    istiod.auth.token.revoke_self()
    must_fail(exceptions.Forbidden, "permission denied", istiod.auth.token.lookup_self)


@step
def approle():
    root.sys.enable_auth_method("approle", path="apps")
    at = {"mount_point": "apps"}
    root.auth.approle.create_or_update_approle("web", token_policies=["default"], token_ttl="10m", **at)
    assert root.auth.approle.list_roles(**at)["data"]["keys"] == ["web"]
    assert root.auth.approle.read_role("web", **at)["data"]["token_ttl"] == 600
    role_id = root.auth.approle.read_role_id("web", **at)["data"]["role_id"]
    secret = root.auth.approle.generate_secret_id("web", metadata={"team": "x"}, **at)["data"]
    shown = root.auth.approle.read_secret_id("web", secret["secret_id"], **at)["data"]
    assert shown["metadata"] == {"team": "x"}, shown
    client = client_of()
    made = client.auth.approle.login(role_id, secret["secret_id"], **at)
    assert made["auth"]["metadata"] == {"role_name": "web", "team": "x"}, made
    root.auth.approle.destroy_secret_id_accessor("web", secret["secret_id_accessor"], **at)
    must_fail(
        exceptions.InvalidRequest, "invalid role or secret ID", client.auth.approle.login, role_id, "x", **at
    )
    root.auth.approle.create_custom_secret_id("web", "own", **at)
    client.auth.approle.login(role_id, "own", **at)
    assert len(root.auth.approle.list_secret_id_accessors("web", **at)["data"]["keys"]) == 1
    root.auth.approle.update_role_id("web", "chosen", **at)
    client.auth.approle.login("chosen", "own", **at)
    root.auth.approle.delete_role("web", **at)


@step
def userpass():
    root.sys.enable_auth_method("userpass", path="people")
    at = {"mount_point": "people"}
    root.auth.userpass.create_or_update_user("ann", password="pw", policies="default", **at)
    assert root.auth.userpass.list_user(**at)["data"]["keys"] == ["ann"]
    client = client_of()
    made = client.auth.userpass.login("ann", "pw", **at)
    entity = made["auth"]["entity_id"]
    assert root.secrets.identity.read_entity(entity)["data"]["id"] == entity
    must_fail(
        exceptions.InvalidRequest, "invalid username or password", client.auth.userpass.login, "ann", "x", **at
    )
    root.auth.userpass.update_password_on_user("ann", "new", **at)
    client.auth.userpass.login("ann", "new", **at)
    root.auth.userpass.delete_user("ann", **at)


@step
def tokens():
    made = root.auth.token.create(policies=["default"], ttl="1h", meta={"a": "b"}, display_name="joe")["auth"]
    client = client_of(made["client_token"])
    seen = client.auth.token.lookup_self()["data"]
    assert (seen["display_name"], seen["meta"], seen["orphan"]) == ("token-joe", {"a": "b"}, False), seen
    assert root.auth.token.lookup_accessor(made["accessor"])["data"]["id"] == ""
    assert client.auth.token.renew_self(increment="30m")["auth"]["lease_duration"] == 1800
    assert made["accessor"] in root.auth.token.list_accessors()["data"]["keys"]
    root.auth.token.create_or_update_role("ci", allowed_policies="default", orphan=True)
    assert root.auth.token.read_role("ci")["data"]["orphan"] is True
    assert "ci" in root.auth.token.list_roles()["data"]["keys"]
    assert root.auth.token.create(role_name="ci")["auth"]["orphan"] is True
    batch = root.auth.token.create(policies=["default"], type="batch", ttl="1m")["auth"]
    assert batch["token_type"] == "batch", batch
    root.auth.token.delete_role("ci")
    root.auth.token.revoke_accessor(made["accessor"])
    must_fail(exceptions.Forbidden, "permission denied", client.auth.token.lookup_self)
    assert root.auth.token.create_orphan(policies=["default"])["auth"]["orphan"] is True


@step
def identity():
    made = root.secrets.identity.create_or_update_entity("bob", metadata={"team": "x"}, policies="default")
    assert root.secrets.identity.read_entity_by_name("bob")["data"]["metadata"] == {"team": "x"}
    accessor = root.sys.list_auth_methods()["data"]["people/"]["accessor"]
    alias = root.secrets.identity.create_or_update_entity_alias("bob", made["data"]["id"], accessor)["data"]
    assert root.secrets.identity.read_entity_alias(alias["id"])["data"]["name"] == "bob"
    assert root.secrets.identity.lookup_entity(name="bob")["data"]["aliases"][0]["id"] == alias["id"]
    root.secrets.identity.delete_entity_alias(alias["id"])
    root.secrets.identity.delete_entity(made["data"]["id"])


for function in steps:
    try:
        function()
    except Exception as error:  # noqa: BLE001: the caller wants the step and the reason, whatever it was
        print(f"FAIL  {function.__name__}: {type(error).__name__}: {error}")
        sys.exit(1)
    print(f"ok    {function.__name__}")
