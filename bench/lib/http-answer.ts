const emptyLine = '\r\n\r\n';

/** Whether an HTTP/1.1 answer has arrived to its end: by Content-Length, or by the last chunk. */
export function isWhole(answer: Buffer): boolean {
  const head = answer.indexOf(emptyLine);
  if (head === -1) return false;
  const fields = answer.toString('latin1', 0, head).toLowerCase();
  if (fields.includes('\r\ntransfer-encoding: chunked')) {
    return answer.toString('latin1', answer.length - 5) === '0\r\n\r\n';
  }
  const [, length = '0'] = /\r\ncontent-length: *(\d+)/.exec(fields) ?? [];
  return answer.length >= head + emptyLine.length + Number(length);
}

export function statusOf(answer: Buffer): number {
  return Number(answer.toString('latin1', 9, 12));
}
