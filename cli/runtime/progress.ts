/** How far something is that takes minutes: each step where somebody looks, else the newest one now and then. */

export interface Progress {
  show(step: string): void;
  end(): void;
}

/** `everyMs`: how often the newest is said, with the time that has gone by; undefined: each one as it comes. */
export function showProgress(say: (line: string) => void, everyMs?: number): Progress {
  const started = Date.now();
  let newest = 'it begins';
  const timer =
    everyMs === undefined
      ? undefined
      : setInterval(() => say(`  ${Math.round((Date.now() - started) / 1000)} s: ${newest}`), everyMs);
  timer?.unref();
  return {
    show(step) {
      newest = step;
      if (everyMs === undefined) say(`  ${step}`);
    },
    end: () => clearInterval(timer),
  };
}
