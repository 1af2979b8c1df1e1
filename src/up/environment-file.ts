/** `env.sh`: what a person sources to go on with curl, vault and kubectl on the running system. */
export function environmentText(options: {
  readonly vaultAddress: string;
  readonly tokenFile: string;
  readonly kubeconfigs: readonly string[];
}): string {
  const { vaultAddress, tokenFile, kubeconfigs } = options;
  return [
    '# written by meshroot up; use it with: . env.sh',
    `export VAULT_ADDR=${quote(vaultAddress)}`,
    `export BAO_ADDR=${quote(vaultAddress)}`,
    `export VAULT_TOKEN="$(cat ${quote(tokenFile)})"`,
    `export KUBECONFIG=${quote(kubeconfigs.join(':'))}`,
    '',
  ].join('\n');
}

/** As one word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
