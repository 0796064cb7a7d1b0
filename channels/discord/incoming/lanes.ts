/** Work in order within a lane, and lanes side by side. */
export interface Lanes {
  /** Resolves or rejects as `work` does; what came before in its lane has ended then, however. */
  run(lane: string, work: () => Promise<void>): Promise<void>;
}

export function createLanes(): Lanes {
  const last = new Map<string, Promise<void>>();
  return {
    run(lane, work) {
      const own = (last.get(lane) ?? Promise.resolve()).then(work);
      const end = own.catch(() => {});
      last.set(lane, end);
      void end.then(() => {
        if (last.get(lane) === end) last.delete(lane);
      });
      return own;
    },
  };
}
