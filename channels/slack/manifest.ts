import type { ChannelManifest } from '../../src/channels/plugin.ts';

export const MANIFEST: ChannelManifest = {
  name: 'slack',
  title: 'Slack',
  summary:
    'An app in a Slack workspace: private chats, channels and threads, files both ways, buttons. Needs no public address.',
  settings: [
    {
      name: 'BOT_TOKEN',
      secret: true,
      required: true,
      label: "The bot's token (xoxb-…)",
      steps: [
        'Open api.slack.com/apps, choose Create New App, then From a manifest, and the workspace.',
        'Paste the manifest of docs/channels/slack.md, choose Next, then Create.',
        'Choose Install App on the left, then Install to the workspace, and allow it.',
        'Copy the Bot User OAuth Token: it begins with xoxb-.',
      ],
    },
    {
      name: 'APP_TOKEN',
      secret: true,
      required: true,
      label: 'The app token (xapp-…); or the signing secret, where events come by webhook',
      steps: [
        'On the same pages choose Basic Information, and there App-Level Tokens, Generate Token and Scopes.',
        'Give it a name, add the scope connections:write, and choose Generate.',
        'Copy the token: it begins with xapp-.',
        'Only for webhooks, with a public address: copy the Signing Secret of the same page instead.',
      ],
    },
    {
      name: 'API_URL',
      secret: false,
      required: false,
      label: 'Where the Web API is; another than Slack’s for tests, or https://slack-gov.com/api',
      steps: [],
      default: 'https://slack.com/api',
    },
  ],
  downloadMb: 25,
  proof:
    'Never met the real platform. Tested against a scripted Slack of our own (socket mode, Web API) and emulate’s Web API.',
};
