import type { ChannelManifest } from '../../src/channels/plugin.ts';

export const MANIFEST: ChannelManifest = {
  name: 'webhook',
  title: 'Webhooks',
  summary: 'Signed events of programs wake an agent; its answers are posted to a URL of yours. Needs a public address.',
  settings: [
    {
      name: 'SOURCES',
      secret: false,
      required: false,
      label: 'Names of the programs that send events, with blanks between them',
      steps: ['Small letters, digits and dashes. Each is a chat of its own, below /webhook/<account>/<name>.'],
      default: 'events',
    },
    {
      name: 'SECRET',
      secret: true,
      required: true,
      label: 'The secret that the first program signs with',
      steps: [
        'Make one: echo "whsec_$(openssl rand -base64 32)"',
        'Give it to the program as the secret of its webhook, and here.',
        'To change it later: both, the new one first, with a blank between them, until the program uses the new one.',
        'Each further program has its own: SECRET_GITHUB for the source github.',
      ],
    },
    {
      name: 'SIGNATURE',
      secret: false,
      required: false,
      label: 'How it signs: standard (webhook-signature) or github (X-Hub-Signature-256)',
      steps: ['For a further source: SIGNATURE_GITHUB.'],
      default: 'standard',
    },
    {
      name: 'ANSWER_URL',
      secret: false,
      required: false,
      label: 'Where answers are posted, https://…; without it they are dropped',
      steps: ['For a further source: ANSWER_URL_GITHUB.'],
    },
    {
      name: 'ANSWER_SECRET',
      secret: true,
      required: false,
      label: 'The secret that answers are signed with: another one than SECRET',
      steps: ['Make one as before: echo "whsec_$(openssl rand -base64 32)"'],
    },
    {
      name: 'ANSWER_PRIVATE',
      secret: false,
      required: false,
      label: 'yes: answers may go to an address on this machine or in your network, by http too',
      steps: [],
      default: 'no',
    },
  ],
  downloadMb: 0,
  proof:
    'Programs of every kind are the far end: proved over real sockets, with the signatures of Standard Webhooks and of GitHub. Never met GitHub itself.',
};
