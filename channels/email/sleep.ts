export interface Sleep {
  done: Promise<void>;
  end(): void;
}

/** Pauses that can be ended, each or all at once. */
export function createSleep() {
  const waiting = new Set<() => void>();
  let over = false;

  function begin(ms: number): Sleep {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const end = () => {
      clearTimeout(timer);
      waiting.delete(end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    waiting.add(end);
    if (over) end();
    return { done, end };
  }

  return {
    begin,
    for: (ms: number) => begin(ms).done,
    /** For good. */
    wake() {
      over = true;
      for (const end of waiting) end();
    },
  };
}
