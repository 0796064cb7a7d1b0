/** The image beside a running host: looked at when it starts and when a start finds none, one build at a time. */
import { NanoError } from '../../src/errors.ts';
import type { ImageOptions, ImageOutcome } from './index.ts';
import { describeImage, readImageStatus } from './status.ts';

export interface ImageKeeper {
  /** Looks, and has it made if that is needed; returns at once. */
  begin(): void;
  /** Why a start failed. If no image was there it is made now, and this says how far that is. */
  explain(error: unknown): unknown;
}

/** `options` are undefined where there is no image to look after; `theirs` is one that the owner names. */
export function createImageKeeper(
  options: () => ImageOptions | undefined,
  theirs: () => string | undefined = () => undefined,
): ImageKeeper {
  let running: Promise<void> | undefined;
  let again: NodeJS.Timeout | undefined;
  let last: ImageOutcome | undefined;

  function begin(): void {
    const now = options();
    if (running || !now) return;
    clearTimeout(again);
    running = make(now).finally(() => {
      running = undefined;
    });
  }

  async function make(now: ImageOptions): Promise<void> {
    // Loaded late: a host without an engine needs none of it.
    const { ensureImage } = await import('./index.ts');
    last = await ensureImage(now);
    if (last.ok || last.retryMs === undefined) return;
    again = setTimeout(begin, last.retryMs);
    again.unref();
  }

  return {
    begin,
    explain(error) {
      if (!(error instanceof NanoError) || error.code !== 'NC_SANDBOX_IMAGE') return error;
      const now = options();
      // One that the owner names: nobody makes it.
      if (!now) return new NanoError('NC_SANDBOX_START', theirIsMissing(theirs()) ?? error.detail, { cause: error });
      const gaveUp = last?.ok === false && last.retryMs === undefined && !running;
      const sentence = last?.ok === false ? last.sentence : undefined;
      begin();
      // Nothing that waiting would heal: what it is made of has to change, or somebody has to ask.
      if (gaveUp) return new NanoError('NC_SANDBOX_UNUSABLE', sentence, { cause: error });
      const status = readImageStatus(now.stateDir);
      const isBeing = status?.state === 'building' && (status.engine ?? now.name) === now.name;
      const being = isBeing ? describeImage(status).detail : undefined;
      return new NanoError('NC_SANDBOX_IMAGE', being ?? sentence ?? 'It is being made.', { cause: error });
    },
  };
}

function theirIsMissing(image: string | undefined): string | undefined {
  return (
    image && `NANOCLAW_IMAGE is ${image}. The image ${image} is not there: pull or build it, or take the setting away.`
  );
}
