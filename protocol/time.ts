/** A time as the contract stores it: ISO-8601, UTC, milliseconds, `Z`. Sorts as text. */
export function isoTime(at: number | Date): string {
  return new Date(at).toISOString();
}

/** True for exactly what `isoTime` makes. */
export function isIsoTime(text: string): boolean {
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString() === text;
}
