import type { ChannelManifest } from '../../src/channels/plugin.ts';

export const MANIFEST: ChannelManifest = {
  name: 'telegram',
  title: 'Telegram',
  summary: 'A bot in Telegram: private chats, groups and topics, files both ways, buttons. Needs no public address.',
  settings: [
    {
      name: 'TOKEN',
      secret: true,
      required: true,
      label: "The bot's token",
      steps: [
        'Open Telegram and write to @BotFather (the one with the blue check mark).',
        'Send /newbot. Choose a name, then a username that ends in "bot".',
        'Copy the token from its answer: digits, a colon, then 35 letters and digits.',
        'For groups: send /setprivacy, choose the bot, then Disable. Else it hears only what is addressed to it.',
        'Open t.me/ and the username, and press Start: before that a bot may not write to you.',
      ],
    },
    {
      name: 'API_URL',
      secret: false,
      required: false,
      label: 'Where the Bot API is; another than Telegram’s for a Bot API server of your own',
      steps: [],
      default: 'https://api.telegram.org',
    },
  ],
  downloadMb: 0,
  proof: "Never met the real platform. Tested against crabline's Telegram and a scripted Bot API of our own.",
};
