import type { ServerResponse } from 'node:http';

/** An error as Vault writes it: `{"errors": […]}`. */
export function refuse(response: ServerResponse, status: number, reason?: string): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json' })
    .end(`${JSON.stringify({ errors: reason === undefined ? [] : [reason] })}\n`);
}
