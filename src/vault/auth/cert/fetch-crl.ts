/** Passed in by `server/`: this room opens no sockets. A list's bytes, DER or PEM. Throws when there is no good answer. */
export type FetchCrl = (url: string) => Promise<Buffer>;
