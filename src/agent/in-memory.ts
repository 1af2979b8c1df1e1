import { statfs } from 'node:fs/promises';

/** `f_type` of tmpfs and ramfs (statfs(2)). */
const memory = [0x01021994, 0x858458f6];

/** Whether what lies in a folder is in memory alone. @throws when there is no such folder */
export async function isInMemory(folder: string): Promise<boolean> {
  return memory.includes((await statfs(folder)).type);
}
