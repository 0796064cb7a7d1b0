import { cleanText, type DestinationRow, type Origin } from '@nanoclaw/protocol';
import { addressOf, findDestination, knownNames, sameChat } from '../destinations.ts';
import { readBlocks } from './blocks.ts';
import { stripInternal } from './internal.ts';

/** What a model's text comes to. */
export interface Outcome {
  /** For where it was asked. */
  own: readonly string[];
  elsewhere: readonly { name: string; address: Origin; text: string }[];
  rejected: readonly Rejected[];
}
/** A part that can't be sent as it was meant. */
export interface Rejected {
  text: string;
  problem: string;
}

export const NOTHING: Outcome = { own: [], elsewhere: [], rejected: [] };

export function readOutcome(text: string, destinations: readonly DestinationRow[], origin: Origin): Outcome {
  const { own, blocks, broken } = readBlocks(stripInternal(cleanText(text)));
  const outcome = { own, elsewhere: [] as Outcome['elsewhere'][number][], rejected: [...broken] };
  for (const block of blocks) {
    const destination = findDestination(destinations, block.to);
    if (!destination) {
      outcome.rejected.push({ text: block.text, problem: `there is no destination "${block.to}"` });
      continue;
    }
    const address = addressOf(destination);
    // To the chat that asked, by its name: that is an answer, and stays in its thread.
    if (sameChat(address, origin)) own.push(block.text);
    else outcome.elsewhere.push({ name: destination.name, address, text: block.text });
  }
  return outcome;
}

export function joinOutcomes(outcomes: readonly Outcome[]): Outcome {
  return {
    own: outcomes.flatMap((each) => each.own),
    elsewhere: outcomes.flatMap((each) => each.elsewhere),
    rejected: outcomes.flatMap((each) => each.rejected),
  };
}

/** Tells the agent what could not be sent, so that it can do better. */
export function correctionText(rejected: readonly Rejected[], destinations: readonly DestinationRow[]): string {
  const parts = rejected.map(({ problem, text }) => `- ${problem}: ${JSON.stringify(text.slice(0, 300))}`);
  return [
    'Parts of your answer could not be sent:',
    ...parts,
    knownNames(destinations),
    'The rest of your answer is being sent; do not repeat it. Write only the parts above again, each as',
    '<message to="name">text</message>. Text outside of such a block goes to the chat that you are answering.',
  ].join('\n');
}

/** When the agent couldn't do better: the text reaches at least the chat that asked, and says what it is. */
export function asRemark({ text, problem }: Rejected): string {
  return `(Not sent where it was meant to go: ${problem}.)\n${text}`.trim();
}
