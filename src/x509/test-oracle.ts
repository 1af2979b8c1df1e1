/**
 * The second opinion on our own reader and writer: @peculiar/x509. Its container wants the metadata functions of the
 * old decorators proposal on `Reflect`; these lines are all that it uses of them.
 */
const metadata = new WeakMap<object, Map<unknown, unknown>>();
const own = (key: unknown, target: object): unknown => metadata.get(target)?.get(key);

Object.assign(Reflect, {
  defineMetadata: (key: unknown, value: unknown, target: object) => {
    metadata.set(target, (metadata.get(target) ?? new Map()).set(key, value));
  },
  getOwnMetadata: own,
  getMetadata: (key: unknown, target: object): unknown => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const found = own(key, at);
      if (found !== undefined) return found;
    }
    return undefined;
  },
});

export const oracle = await import('@peculiar/x509');
