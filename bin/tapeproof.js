#!/usr/bin/env node
// Plain JavaScript on purpose: any Node can start it. It hands over to the Node 24 that `npm ci` installed with it,
// which runs the TypeScript sources natively.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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
// kafkajs computes negative timeouts, which Node 24 warns about and treats as immediate, as kafkajs intends.
// A user's strategy may be in a folder whose package.json does not mention modules: that is not an error.
const quiet = ['ExperimentalWarning', 'TimeoutNegativeWarning', 'MODULE_TYPELESS_PACKAGE_JSON'].map(
  (name) => `--disable-warning=${name}`,
);
// Node's compiled form of each source is cached, instead of made anew at each start. The cache is in the project's own
// folder, because its content is executed. Where it cannot be written, Node continues without it.
const compiled = fileURLToPath(new URL('../.tapeproof/compiled', import.meta.url));
// By the first word of the command: an engine keeps little of what it makes, and with a smaller young generation its memory
// is a quarter less (docs/benchmarks.md). What the user's own NODE_OPTIONS say comes later and wins.
const options = JSON.parse(readFileSync(new URL('node-options.json', import.meta.url), 'utf8'));
const ofCommand = Object.hasOwn(options, process.argv[2] ?? '') ? options[process.argv[2]] : undefined;
const nodeOptions = [ofCommand, process.env.NODE_OPTIONS].filter(Boolean).join(' ');
const child = spawn(node, [...quiet, cli, ...process.argv.slice(2)], {
  // The channel closes when this process ends, however it ends: the child treats that as an order to end too.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  env: { NODE_COMPILE_CACHE: compiled, ...process.env, NODE_OPTIONS: nodeOptions },
});

// npx does not pass signals on: it ends the shell that started this process. Only there does the parent's end end this
// process: one started by a script or nohup continues without them.
const LOOK_EVERY_MS = 500;
const parent = process.ppid;
const lookAfterParent =
  process.env.npm_lifecycle_event !== 'npx'
    ? undefined
    : setInterval(() => {
        if (process.ppid !== parent) order('SIGTERM');
      }, LOOK_EVERY_MS).unref();

function order(signal) {
  // The first order counts: the parent's end by the same order must not count as the second, which ends at once.
  clearInterval(lookAfterParent);
  // A terminal's Ctrl-C reaches the child directly; a signal sent to this process alone must be passed on.
  if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, order);

child.on('exit', (code, signal) => {
  process.exit(signal ? 128 + { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] || 1 : code);
});
