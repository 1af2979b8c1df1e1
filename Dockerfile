# Two images from one build. Not built in this repository's own tests.
#
#   docker build -t meshroot:0.1.0 .                          the parts that Kubernetes runs: injector, ca
#   docker build -t meshroot-agent:0.1.0 --target agent .     agents for pods (AGENT_INJECT_VAULT_IMAGE), and jobs of a pipeline
#
# Run the first with a read-only root: it writes nothing. Pin the base images by digest where you build.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN npm ci && npm prune --omit=dev --ignore-scripts && rm -rf src scripts tsconfig*.json dist/.tsbuildinfo

# An injector (ours or vault-k8s) starts agents with /bin/sh -ec 'echo $VAULT_CONFIG | base64 -d > ... && vault agent -config=...',
# and their last command is /bin/vault: a shell, base64 and the name "vault" must be there. sh is bash, because dash stays in
# front of the agent and keeps the signal that ends a pod from it.
FROM node:22-bookworm-slim AS agent
RUN ln -sf bash /bin/sh \
 && printf '#!/bin/sh\nexec node /app/bin/meshroot "$@"\n' > /usr/local/bin/meshroot \
 && chmod 0755 /usr/local/bin/meshroot \
 && ln -s /usr/local/bin/meshroot /bin/vault \
 && echo 'vault:x:100:1000:agent:/home/vault:/usr/sbin/nologin' >> /etc/passwd \
 && mkdir -p /home/vault /vault/secrets \
 && chown 100:1000 /home/vault /vault/secrets
COPY --from=build /app /app
# No NODE_OPTIONS: Node sizes its heap by the limit of the container, and a flag of V8 slows each start, for neither Node's own
# bytecode nor ours is taken then.
# HOME: a pod may run the agent as a user that /etc/passwd does not have, and its preStop hook looks for ~/.vault-token.
ENV NODE_ENV=production HOME=/home/vault
USER 100:1000
WORKDIR /home/vault
ENTRYPOINT ["meshroot"]
CMD ["--help"]

# The last stage is what a build without --target makes: no shell, no package manager.
FROM gcr.io/distroless/nodejs22-debian12:nonroot AS meshroot
COPY --from=build /app /app
ENV NODE_ENV=production
USER 65532:65532
WORKDIR /app
ENTRYPOINT ["/nodejs/bin/node", "/app/bin/meshroot"]
CMD ["--help"]
