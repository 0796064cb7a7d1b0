import { openAccount } from '../../channels/email/testing/account.ts';
import { startProgram } from '../../test/channels/webhook-far-end.ts';
import { discordFarEnd } from '../../test/fakes/discord/far-end.ts';
import { noDovecot } from '../../test/fakes/mail/dovecot.ts';
import { slackFarEnd } from '../../test/fakes/slack/far-end.ts';
import { telegramFarEnd } from '../../test/fakes/telegram/far-end.ts';

/** An account of each channel, at the far end that its tests have. */

export interface OpenAccount {
  settings: Readonly<Record<string, string>>;
  /** Lines of the host's .env. */
  env?: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** By the channel's name. */
export const ACCOUNTS: Readonly<Record<string, () => Promise<OpenAccount | undefined>>> = {
  telegram: telegramFarEnd,
  discord: discordFarEnd,
  slack: () => slackFarEnd(),
  async web() {
    return { settings: { PORT: '0' }, close: async () => {} };
  },
  async webhook() {
    const program = await startProgram();
    return { settings: program.settings, env: program.env, close: async () => program[Symbol.asyncDispose]() };
  },
  async email() {
    if (noDovecot() !== undefined) return undefined;
    const account = await openAccount();
    return { settings: account.settings, close: async () => account[Symbol.asyncDispose]() };
  },
};
