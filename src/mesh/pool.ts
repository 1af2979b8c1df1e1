/**
 * Runs `work` for every item, at most `width` at a time; results in the order of the items.
 * @param signal once it is aborted nothing more is begun: those items are rejected with its reason
 */
export async function inPool<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
  signal?: AbortSignal,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = new Array(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) {
      const begun = signal?.aborted === true ? Promise.reject(signal.reason) : work(items[i] as T);
      const [result] = await Promise.allSettled([begun]);
      results[i] = result;
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
