import { describe, test } from 'node:test';
import type { ChannelUnderTest } from './contract.ts';
import { ARRIVING } from './suite/arriving.ts';
import { CONNECTION } from './suite/connection.ts';
import { badCredentials } from './suite/credentials.ts';
import { CURSOR } from './suite/cursor.ts';
import { FAILING } from './suite/failing.ts';
import { FILES } from './suite/files.ts';
import { SAYING } from './suite/saying.ts';
import { noteSkip } from './suite/skips.ts';
import { withStage } from './suite/stage.ts';
import { WHO } from './suite/who.ts';

/**
 * What every channel has to do, whatever its platform: one suite, against the best far end that there is for each. A case
 * that a platform can't have is shown as skipped, with its reason.
 */

const CASES = [...ARRIVING, ...CURSOR, ...WHO, ...SAYING, ...FILES, ...FAILING, ...CONNECTION];

export function channelContract(under: ChannelUnderTest): void {
  describe(`the contract: ${under.name}`, () => {
    for (const { name, title, run } of CASES) {
      const reason = under.cannot?.[name];
      if (reason !== undefined) noteSkip(under.name, name, reason);
      test(`${name}: ${title}`, reason === undefined ? {} : { skip: reason }, async (context) => {
        const skip = (why: string) => {
          noteSkip(under.name, name, why);
          context.skip(why);
        };
        await withStage(under, (stage) => run(stage, skip));
      });
    }
    const reason = under.cannot?.['bad-credentials'];
    if (reason !== undefined) noteSkip(under.name, 'bad-credentials', reason);
    test('bad-credentials: it says so, without the secret', reason === undefined ? {} : { skip: reason }, () =>
      badCredentials(under),
    );
  });
}
