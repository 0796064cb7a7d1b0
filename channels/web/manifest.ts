import type { ChannelManifest } from '../../src/channels/plugin.ts';

export const MANIFEST: ChannelManifest = {
  name: 'web',
  title: 'Web page',
  summary: 'A page in the browser of this machine: chats, history, files both ways, buttons. No account anywhere.',
  settings: [
    {
      name: 'PORT',
      secret: false,
      required: false,
      label: 'The port on 127.0.0.1; when it is taken, the next free one',
      steps: [],
      default: '8787',
    },
    {
      name: 'ORIGIN',
      secret: false,
      required: false,
      label: 'Another address of the page, where a tunnel or a reverse proxy leads to it',
      steps: [
        'Leave it empty when the browser runs on this machine.',
        'Otherwise for example: https://chat.example.org',
      ],
    },
  ],
  downloadMb: 0,
  proof: 'Tested in a real browser (Chromium), against the real host.',
};
