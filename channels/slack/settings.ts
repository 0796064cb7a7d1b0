import type { ChannelContext } from '../../src/channels/plugin.ts';
import { NanoError } from '../../src/errors.ts';
import { type Api, createApi } from './api.ts';

export const OFFICIAL = 'https://slack.com/api';

export interface Settings {
  apiUrl: string;
  botToken: string;
  bot: Api;
  /** For socket mode; or else: */
  app: Api | undefined;
  signingSecret: string | undefined;
}

/** Throws NC_CHANNEL. */
export function openSettings({ settings }: Pick<ChannelContext, 'settings'>): Settings {
  const { BOT_TOKEN: botToken = '', APP_TOKEN: appToken = '', API_URL: given = OFFICIAL } = settings;
  if (!/^xoxb-[\w-]{5,250}$/.test(botToken)) {
    throw new NanoError('NC_CHANNEL', 'BOT_TOKEN begins with xoxb-. It stands under OAuth & Permissions.');
  }
  const isSocket = /^xapp-[\w-]{5,250}$/.test(appToken);
  if (!isSocket && !/^[0-9a-f]{32}$/i.test(appToken)) {
    throw new NanoError(
      'NC_CHANNEL',
      'APP_TOKEN begins with xapp-; or it is the 32 digits of the signing secret, for webhooks.',
    );
  }
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new NanoError('NC_CHANNEL', 'API_URL is an address that begins with https:// or http://.');
  }
  const apiUrl = given.replace(/\/+$/, '');
  return {
    apiUrl,
    botToken,
    bot: createApi(apiUrl, botToken),
    app: isSocket ? createApi(apiUrl, appToken) : undefined,
    signingSecret: isSocket ? undefined : appToken,
  };
}
