/** The health of one part of the process. */
export interface PartHealth {
  /** False: it will not recover unaided; the process should be replaced. */
  readonly alive: boolean;
  /** False: it cannot do its work now. */
  readonly ready: boolean;
  /** For people. */
  readonly detail: string;
}

/** Where the parts of a process report their health, for /health and /ready. */
export class HealthBoard {
  readonly #parts = new Map<string, PartHealth>();

  /** @param part for example `consumer` or `redis`; each process has a handful. */
  set(part: string, health: PartHealth): void {
    this.#parts.set(part, health);
  }

  get parts(): ReadonlyMap<string, PartHealth> {
    return this.#parts;
  }

  get isAlive(): boolean {
    return [...this.#parts.values()].every(({ alive }) => alive);
  }

  get isReady(): boolean {
    return this.isAlive && [...this.#parts.values()].every(({ ready }) => ready);
  }
}
