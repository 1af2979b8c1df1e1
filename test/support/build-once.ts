import { execFileSync } from 'node:child_process';

/** Real processes run from dist/, so it has to be what src/ says; incremental, about a second. */
export default function setup(): void {
  execFileSync('npm', ['run', '-s', 'build'], { stdio: 'inherit' });
}
