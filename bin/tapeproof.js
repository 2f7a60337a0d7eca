#!/usr/bin/env node
// Plain JavaScript on purpose: any Node can start it. It hands over to the Node 24 that `npm ci` installed beside it,
// which runs the TypeScript sources natively.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bundled = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
const major = Number(process.versions.node.split('.')[0]);
const node = existsSync(bundled) ? bundled : process.execPath;
if (node === process.execPath && major < 24) {
  console.error(
    `tapeproof: Node 24 is needed and this is Node ${process.versions.node}. Run "npm ci" in the project's folder: it brings one.`,
  );
  process.exit(3);
}
const cli = fileURLToPath(new URL('cli.ts', import.meta.url));
// kafkajs computes negative timeouts, which Node 24 warns of and treats as at once, as kafkajs means them.
const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
const child = spawn(node, [...quiet, cli, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // A terminal's Ctrl-C reaches the child by itself; a signal sent to this process alone must be passed on.
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exit(signal ? 128 + { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] || 1 : code);
});
