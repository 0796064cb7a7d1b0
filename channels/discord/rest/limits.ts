/** How long Discord wants to be left alone: each route on its own, and all of them. Pure, but for the clock. */
export interface Limits {
  /** In ms from now; 0: it may be called. */
  wait(route: string): number;
  /** What an answer says of the calls that are left. */
  note(route: string, headers: Headers): void;
  /** Discord refused until then. */
  rest(route: string, ms: number, isGlobal: boolean): void;
}

const MANY = 1_000;

export function createLimits(now: () => number = () => performance.now()): Limits {
  const until = new Map<string, number>();
  let allUntil = 0;

  function set(route: string, ms: number): void {
    if (until.size >= MANY) for (const [one, at] of until) if (at <= now()) until.delete(one);
    until.set(route, Math.max(until.get(route) ?? 0, now() + ms));
  }

  return {
    wait: (route) => Math.max(0, allUntil - now(), (until.get(route) ?? 0) - now()),
    note(route, headers) {
      const after = Number(headers.get('x-ratelimit-reset-after'));
      if (headers.get('x-ratelimit-remaining') === '0' && after > 0) set(route, after * 1000);
    },
    rest(route, ms, isGlobal) {
      if (isGlobal) allUntil = Math.max(allUntil, now() + ms);
      else set(route, ms);
    },
  };
}

/** Calls that share a limit: those of one channel, guild or interaction, whichever message they are about. */
export function routeOf(method: string, path: string): string {
  const [plain = ''] = path.split('?');
  return `${method} ${plain.replaceAll(/\/(messages|reactions|members)\/[^/]+/g, '/$1/*')}`;
}
