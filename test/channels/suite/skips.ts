import { appendFileSync } from 'node:fs';
import type { Case } from '../contract.ts';

/** For the page that says which channel can't have which case: test/channels/write-contract.ts reads the file. */
export function noteSkip(channel: string, name: Case, reason: string): void {
  const file = process.env.NANOCLAW_CONTRACT_SKIPS;
  if (file) appendFileSync(file, `${JSON.stringify({ channel, name, reason })}\n`);
}
