import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';

/** What outlives the process. A disk that is full is no reason to lose a message, nor to say one twice. */
export interface Keep {
  recall(key: string): string | undefined;
  /** False: it could not be written down. */
  remember(key: string, value: string): boolean;
}

export function keepIn({ recall, remember, log }: Pick<ChannelContext, 'recall' | 'remember' | 'log'>): Keep {
  return {
    recall,
    remember(key, value) {
      try {
        remember(key, value);
        return true;
      } catch (error) {
        log.warn('something could not be written down', { key, error: errorText(error) });
        return false;
      }
    },
  };
}
