/** IANA names alone: an offset or an abbreviation knows no daylight saving. */
export function isTimezone(name: string): boolean {
  if (name !== 'UTC' && !/^[A-Za-z]+(\/[A-Za-z0-9_+-]+)+$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** This machine's zone; UTC where it has none that is known. */
export function localTimezone(): string {
  const zone = process.env.TZ || Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone && isTimezone(zone) ? zone : 'UTC';
}
