import type { ChannelPlugin } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import { createEmailAdapter } from './adapter.ts';
import { connectionTo, isRefused, within } from './mailbox.ts';
import { MANIFEST } from './manifest.ts';
import { readSettings } from './settings.ts';
import { checkSmtp, isAuth } from './smtp.ts';

const TEST_MS = 40_000;

export const plugin: ChannelPlugin = {
  manifest: MANIFEST,
  create: (context) => createEmailAdapter(context, readSettings(context.settings)),
  async test(context) {
    const settings = readSettings(context.settings);
    const { imap, smtp, user, folder, address, authservId } = settings;
    const client = connectionTo(settings);
    client.on('error', () => {});
    try {
      await within(client.connect(), TEST_MS, client);
      await within(client.mailboxOpen(folder, { readOnly: true }), TEST_MS, client);
    } catch (error) {
      const sentence = isRefused(error)
        ? `${imap.host} doesn't take the password for ${user}.`
        : `The mailbox ${folder} at ${imap.host}:${imap.port} can't be opened: ${errorText(error)}`;
      return { ok: false, sentence };
    } finally {
      client.close();
    }
    try {
      await checkSmtp(settings);
    } catch (error) {
      const sentence = isAuth(error)
        ? `${smtp.host} doesn't take the password for ${user}.`
        : `${smtp.host}:${smtp.port} takes no mail: ${errorText(error)}`;
      return { ok: false, sentence };
    }
    const unknown = authservId === undefined ? ' AUTHSERV_ID is not set: nobody who writes will count as known.' : '';
    // Without that name no sender is known, and a code makes nobody the owner.
    const meet = authservId === undefined ? {} : { meet: `Send a mail to ${address} with nothing but <code> in it.` };
    return { ok: true, sentence: `It reads and sends as ${address}.${unknown}`, ...meet };
  },
};
