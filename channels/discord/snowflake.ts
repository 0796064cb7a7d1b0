/** Discord's ids hold the time at which they were given. */

const EPOCH_MS = 1_420_070_400_000;

export function isSnowflake(text: string): boolean {
  return /^\d{15,20}$/.test(text);
}

/** The first id of that moment. */
export function snowflakeAt(ms: number): string {
  return String(BigInt(Math.max(0, Math.floor(ms) - EPOCH_MS)) << 22n);
}

/** In ms since 1970. */
export function timeOf(id: string): number {
  return Number(BigInt(id) >> 22n) + EPOCH_MS;
}

export function newer(one: string, other: string): boolean {
  return BigInt(one) > BigInt(other);
}
