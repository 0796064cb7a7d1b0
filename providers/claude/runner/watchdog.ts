/** Notices silence. It looks only while somebody waits, so that an idle process does nothing. */
export class Watchdog {
  readonly #limitMs: number;
  readonly #excused: () => boolean;
  readonly #silent: (forMs: number) => void;
  #heard = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #factor = 1;

  /** `excused`: silence is as it should be just now, as while a tool runs. */
  constructor(limitMs: number, excused: () => boolean, silent: (forMs: number) => void) {
    this.#limitMs = limitMs;
    this.#excused = excused;
    this.#silent = silent;
  }

  heard(): void {
    this.#heard = performance.now();
  }

  /** Some work is silent for longer: how many times the limit. Returns how long that is, in ms. */
  allow(factor: number): number {
    this.#factor = factor;
    return this.#limitMs * factor;
  }

  /** Somebody waits. Whoever joins them later is no sign of life. */
  watch(): void {
    if (this.#timer) return;
    this.heard();
    this.#timer = setInterval(() => this.#look(), Math.max(50, Math.min(this.#limitMs / 4, 5_000)));
  }

  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    if (this.#excused()) this.heard();
    const forMs = performance.now() - this.#heard;
    if (forMs > this.#limitMs * this.#factor) this.#silent(forMs);
  }
}
