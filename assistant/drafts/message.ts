import type { ChannelAdapter, OutboundMessage } from '../../src/channels/adapter.ts';
import { nextPart } from '../../src/channels/split.ts';
import type { Grown } from '../../src/drafting.ts';

/** As much of a draft as one message takes. */
export function draftMessage({ capabilities }: ChannelAdapter, { id, place, text }: Grown): OutboundMessage {
  const { maxTextLength, textUnit: unit = 'utf16' } = capabilities;
  const part = nextPart(text, 0, { length: maxTextLength - MORE.length, unit });
  const isWhole = !part || nextPart(text, part.end, { length: maxTextLength, unit }) === undefined;
  return {
    id,
    platformId: place.platform_id ?? '',
    threadId: place.thread_id,
    text: isWhole ? text : `${part.text} …`,
    progress: false,
    files: [],
  };
}

/** As long as ` …` is in bytes. */
const MORE = '....';
