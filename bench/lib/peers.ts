/** What the table says when a real peer is not there. */
export const missing = (name: string): string => `${name} is not on PATH: only ours and the physical limit`;
