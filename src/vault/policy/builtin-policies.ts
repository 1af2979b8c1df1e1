/** What every token may do unless it was made without `default`; people may replace it. */
export const defaultPolicyText: string = `
# a token may look at itself, renew itself and end itself
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }

# what am I allowed to do
path "sys/capabilities-self" { capabilities = ["update"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }

# leases are known only to those they were given to
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }

# a place of its own, gone with the token
path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }

path "sys/wrapping/wrap" { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }

path "sys/tools/hash" { capabilities = ["update"] }
path "sys/tools/hash/*" { capabilities = ["update"] }
`.trimStart();

/** Of wrapping tokens; hidden and not to be changed. */
export const wrappingPolicyText: string = `
path "cubbyhole/response" { capabilities = ["create", "read"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
`.trimStart();

export const wrappingPolicyName = 'response-wrapping';
