/** How long a path to the API may take to show itself. */
const PROBE_MS = 5_000;

/** Undefined when something answers at `baseUrl`, whatever it answers; else why not. A gateway's own failure counts. */
export async function probe(baseUrl: string): Promise<string | undefined> {
  try {
    // The one path that a gateway passes on without a key and an API answers without a charge.
    const answer = await fetch(`${baseUrl.replace(/\/$/, '')}/api/hello`, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(PROBE_MS),
    });
    const gatewayFailed = answer.status === 502 || answer.status === 504;
    return gatewayFailed ? `the path to the API answers ${answer.status}` : undefined;
  } catch (cause) {
    return `the API can not be reached: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}
