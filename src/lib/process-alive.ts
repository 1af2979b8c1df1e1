import { codeOf } from './errors.ts';

/** Whether a process of this machine is there; one of another user is too. */
export function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
