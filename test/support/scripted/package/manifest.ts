import type { ChannelManifest } from '../../../../src/channels/plugin.ts';

export const MANIFEST: ChannelManifest = {
  name: 'scripted',
  title: 'Scripted',
  summary: 'A platform that a test plays.',
  settings: [{ name: 'SOCKET', secret: false, required: true, label: 'Where it listens', steps: [] }],
  downloadMb: 0,
  proof: 'Met by tests alone.',
};
