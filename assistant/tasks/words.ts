/** Words about tasks, for whoever shows them. */

export const CATCH_UP = ['skip', 'once', 'all'] as const;
export type CatchUp = (typeof CATCH_UP)[number];

/** For a person: `Mon 2 Mar 2026, 09:00 (Europe/Berlin)`. `at`: ms since the epoch. */
export function inWords(at: number, timezone: string): string {
  const seconds = at % 60_000 === 0 ? {} : ({ second: '2-digit' } as const);
  const text = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...seconds,
  }).format(at);
  return `${text.replace(',', '')} (${timezone})`;
}
