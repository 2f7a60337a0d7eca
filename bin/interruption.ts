/** A signal to a whole process group reaches this process twice: directly, and passed on by the launcher. */
const SAME_ORDER_MS = 1_000;

/**
 * Aborted by the first Ctrl-C, SIGTERM or SIGHUP: work finishes its batch, commits and leaves. A later signal ends the
 * process at once.
 */
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

/**
 * When the parent that opened a channel (the launcher or the demo) exits, in whatever way, this process ends as by
 * SIGTERM.
 */
export function endWithStarter(): void {
  const end = () => process.kill(process.pid, 'SIGTERM');
  // False where the parent exited while modules were loading, undefined where there never was a channel.
  if ((process as { readonly connected?: boolean }).connected === false) end();
  process.once('disconnect', end);
  // Otherwise the channel would keep a finished process alive.
  process.channel?.unref();
}
