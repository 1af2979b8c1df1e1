import { parseDuration } from '../../../lib/duration.ts';

/** Whole seconds of a duration as configurations hold it: `72h`, `90`. @throws MeshrootError `bad-duration` */
export const secondsOf = (text: string): number => Math.trunc(parseDuration(text) / 1000);
