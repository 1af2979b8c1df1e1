/** Asks a Vault, as its root token `root` or another, and resolves to `data` of the answer. @throws Error for anything but 2xx */
export function vaultCaller(address: string, token = 'root') {
  return async (method: string, at: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${address}/v1/${at}`, {
      method,
      headers: { 'X-Vault-Token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${at}: ${answer.status} ${text}`);
    return text === '' ? {} : ((JSON.parse(text) as { data?: Record<string, unknown> }).data ?? {});
  };
}

export type VaultCall = ReturnType<typeof vaultCaller>;
