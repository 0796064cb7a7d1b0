const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-11-21 14:05` in a time zone; in UTC when the zone is unknown; the text itself when it is no time. */
export function localTime(iso: string | number, zone: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? String(iso) : formatFor(zone).format(at);
}

function formatFor(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = makeFormat(zone) ?? makeFormat('UTC');
  if (!made) throw new Error('This runtime knows no time zones');
  formats.set(zone, made);
  return made;
}

function makeFormat(timeZone: string): Intl.DateTimeFormat | null {
  try {
    // Sweden writes times as ISO does.
    return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  } catch {
    return null;
  }
}
