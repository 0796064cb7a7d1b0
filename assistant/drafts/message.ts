import { nextPart } from '../../channels/text/split.ts';
import type { ChannelAdapter, ChannelCapabilities, OutboundMessage } from '../../src/channels/adapter.ts';
import type { Grown } from '../../src/drafting.ts';

export function draftMessage({ capabilities }: ChannelAdapter, { id, place, text }: Grown): OutboundMessage {
  return {
    id,
    platformId: place.platform_id ?? '',
    threadId: place.thread_id,
    text: shownOf(capabilities, text),
    progress: false,
    files: [],
  };
}

/** As much of a draft as one message takes, with what stands below it. */
export function shownOf({ maxTextLength, textUnit: unit = 'utf16' }: ChannelCapabilities, text: string, below = '') {
  const part = nextPart(text, 0, { length: maxTextLength - MORE.length - below.length, unit });
  const isWhole = !part || nextPart(text, part.end, { length: maxTextLength, unit }) === undefined;
  return (isWhole ? text : `${part.text} …`) + below;
}

/** As long as ` …` is in bytes. */
const MORE = '....';
