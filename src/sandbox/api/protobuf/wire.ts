/** One field of a protobuf message as it is on the wire. */
export interface WireField {
  readonly number: number;
  /** A varint or fixed number, or the bytes of a text, message or map entry. */
  readonly value: bigint | Uint8Array;
}

export class WireError extends Error {
  override readonly name = 'WireError';
}

/**
 * The fields of a message in their order (https://protobuf.dev/programming-guides/encoding).
 * @throws WireError when the bytes end too early or hold a group
 */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  const reader = new Reader(bytes);
  while (reader.at < bytes.length) {
    const tag = Number(reader.varint());
    yield { number: tag >>> 3, value: reader.value(tag & 7) };
  }
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  varint(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) break;
      this.at += 1;
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, result);
    }
    throw new WireError('a varint does not end');
  }

  value(type: number): bigint | Uint8Array {
    if (type === 0) return this.varint();
    if (type === 2) return this.#take(Number(this.varint()));
    if (type === 1 || type === 5) return this.#take(type === 1 ? 8 : 4);
    throw new WireError(`wire type ${type} is not used by Kubernetes`);
  }

  #take(length: number): Uint8Array {
    const end = this.at + length;
    if (length < 0 || end > this.#bytes.length) throw new WireError('a field is longer than its message');
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}
