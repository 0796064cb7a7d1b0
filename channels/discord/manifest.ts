import type { ChannelManifest } from '../../src/channels/plugin.ts';

export const MANIFEST: ChannelManifest = {
  name: 'discord',
  title: 'Discord',
  summary:
    'A bot in Discord: direct messages, channels, threads and forums, files both ways, buttons. Needs no public address.',
  settings: [
    {
      name: 'TOKEN',
      secret: true,
      required: true,
      label: "The bot's token",
      steps: [
        'Open https://discord.com/developers/applications, sign in, and press "New Application". Its name is what people will see.',
        'On the page "Bot": under "Privileged Gateway Intents" switch on "Message Content Intent", and save. Without it the bot can read nothing.',
        'On the same page press "Reset Token", and copy what appears: it is shown once.',
        'On the page "OAuth2", under "URL Generator": tick "bot", then the permissions View Channels, Send Messages, Send Messages in Threads, Attach Files, Read Message History, Add Reactions.',
        'Open the address at the bottom of that page, and choose the server that the bot shall join. You need a server in common with it, too, to write to it directly.',
      ],
    },
    {
      name: 'API_URL',
      secret: false,
      required: false,
      label: 'Where the REST API is; the gateway is asked for there',
      steps: [],
      default: 'https://discord.com/api/v10',
    },
  ],
  downloadMb: 0,
  proof:
    "Never met the real platform. Tested against crabline's Discord and a scripted gateway and REST API of our own.",
};
