/**
 * Named points at which a test ends this process, as a power cut would: docs/sessions.md lists them. Nothing is armed unless
 * the environment says `NANOCLAW_FAULT=<point>@<n>`: at the n-th time (from 1) that the point is reached.
 */
export type FaultPoint = (name: string) => void;

export function createFaultPoint(setting: string | undefined, end: () => void): FaultPoint {
  const [point, nth] = (setting ?? '').split('@');
  let left = Number(nth ?? 1);
  return (name) => {
    if (name !== point) return;
    left -= 1;
    if (left === 0) end();
  };
}

/** This process's own. SIGKILL takes effect before the call returns. */
export const faultPoint: FaultPoint = createFaultPoint(process.env.NANOCLAW_FAULT, () =>
  process.kill(process.pid, 'SIGKILL'),
);
