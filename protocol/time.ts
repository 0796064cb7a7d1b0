/** A time as the contract stores it: ISO-8601, UTC, milliseconds, `Z`. Sorts as text. */
export function isoTime(at: number | Date): string {
  return new Date(at).toISOString();
}
