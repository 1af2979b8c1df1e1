import { text } from 'node:stream/consumers';
import { type Flood, floodOf } from './csr-flood.ts';

/** Reads a Flood and a number of connections from stdin; says when it was told to back off; ends when it is killed. */
const { connections, ...flood } = JSON.parse(await text(process.stdin)) as Flood & { connections: number };
const floods = Array.from({ length: connections }, () => floodOf(flood));
await Promise.all(floods.map(({ refusedOnce }) => refusedOnce));
process.stdout.write('refused\n');
