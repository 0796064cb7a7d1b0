import type { ChannelPlugin } from '../../../../src/channels/plugin.ts';
import { createScriptedAdapter } from '../adapter.ts';
import { MANIFEST } from './manifest.ts';

/** The scripted channel as a package, so that there can be accounts of it. */
export const plugin: ChannelPlugin = {
  manifest: MANIFEST,
  create: ({ instance, settings }) => createScriptedAdapter(settings.SOCKET ?? '', instance),
  test: () => Promise.resolve({ ok: true, sentence: 'It works.' }),
};
