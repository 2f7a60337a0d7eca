import { clearTimeout, setTimeout } from 'node:timers';

/** Lets one loop wait until there is work for it. */
export class Wake {
  private isPoked = false;
  private release: (() => void) | undefined;

  /** Ends the wait, or the next one. */
  poke(): void {
    this.isPoked = true;
    this.release?.();
  }

  /** Waits for a poke, or this long. */
  async wait(durationMs: number): Promise<void> {
    if (!this.isPoked) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, durationMs);
        this.release = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.release = undefined;
    }
    this.isPoked = false;
  }
}
