import type { ChannelTools } from '../../admin/view.ts';
import type { Instance } from '../../src/channels/instances.ts';
import { reasonOf } from '../../src/errors.ts';

export interface Tested {
  instance: string;
  ok: boolean;
  sentence: string;
  /** How a person writes to it alone, with `<code>` where an owner's code stands. */
  meet?: string;
  /** What it had before works, so nothing was changed. */
  kept?: boolean;
}

const TEST_MS = 20_000;

/** Whether its credentials work, and as whom; with settings from another folder, whether those would. Never rejects. */
export async function tryAccount(channels: ChannelTools, row: Instance, settings?: string): Promise<Tested> {
  const { instance } = row;
  try {
    const { plugin, context } = await channels.supervisor.open(row, settings);
    return { instance, ...(await within(plugin.test(context))) };
  } catch (error) {
    return { instance, ok: false, sentence: reasonOf(error) };
  }
}

/** As long as a platform is waited for. */
export async function within<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The platform does not answer.')), TEST_MS);
  });
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}
