import { refuse } from '../../core/refusal.ts';

/** Whether a dotted text is an object identifier that has an encoding (X.690, 8.19). */
export function isObjectId(text: string): boolean {
  if (text.length > 256 || !/^[0-2](\.(0|[1-9]\d{0,14}))+$/.test(text)) return false;
  const [top = 0, second = 0] = text.split('.').map(Number);
  return top === 2 || second < 40;
}

/** @throws Refusal 400 */
export function checkPurposeIds(ids: readonly string[]): void {
  const wrong = ids.find((id) => !isObjectId(id));
  if (wrong === undefined) return;
  throw refuse(`"${wrong}" could not be parsed as a valid oid for an extended key usage`);
}
