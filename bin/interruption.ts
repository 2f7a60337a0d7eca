/** Who ends a whole process group reaches this process twice: directly, and through the launcher that passes it on. */
const SAME_ORDER_MS = 1_000;

/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP: work finishes its batch, commits and leaves. A later one ends at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  const interrupt = (signal: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      firstMs = performance.now();
      controller.abort(signal);
    } else if (performance.now() - firstMs > SAME_ORDER_MS) process.exit(130);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  return controller.signal;
}

/** Who started this process with a channel, the launcher or the demo, and goes, however it goes, ends it as by SIGTERM. */
export function endWithStarter(): void {
  const end = () => process.kill(process.pid, 'SIGTERM');
  // False where it went while the modules were loaded, undefined where there never was a channel.
  if ((process as { readonly connected?: boolean }).connected === false) end();
  process.once('disconnect', end);
  // Else the channel would keep a process alive that is done.
  process.channel?.unref();
}
