/** `npm run fuzz -- NAME [COUNT]`: runs scripts/fuzz-NAME.ts. */
const name = process.argv[2] ?? '';
if (!/^[a-z-]+$/.test(name)) {
  process.stderr.write('usage: npm run fuzz -- NAME [COUNT], for example: npm run fuzz -- ca 1000000\n');
  process.exit(2);
}
await import(`./fuzz-${name}.ts`);
