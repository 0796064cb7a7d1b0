/** A host process of the contract tests: publishes image after image into a folder until it is killed. */
import { publishInbound } from '../../src/mailbox/inbound.ts';
import { imageOf, messageIn } from './inbound.ts';

const folder = process.argv[2] ?? '';
for (let at = 1; ; at++) {
  const messages = Array.from({ length: 1 + (at % 200) }, (_, row) => messageIn(2 + 2 * row, String(at)));
  publishInbound(folder, { ...imageOf(messages), receivedSeq: at });
}
