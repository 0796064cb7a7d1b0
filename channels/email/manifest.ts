import type { ChannelManifest, ChannelSetting } from '../../src/channels/plugin.ts';

const optional = (name: string, label: string, ...steps: string[]): ChannelSetting => ({
  name,
  secret: false,
  required: false,
  label,
  steps,
});

export const MANIFEST: ChannelManifest = {
  name: 'email',
  title: 'Email',
  summary:
    'Any mailbox by IMAP and SMTP, Gmail with an app password too: a chat for each correspondent, threads as they are.',
  settings: [
    {
      name: 'ADDRESS',
      secret: false,
      required: true,
      label: "The assistant's mail address",
      steps: [
        'Use an address of its own, not yours: the assistant answers whoever may write to it there.',
        'A new Gmail account will do. So will a mailbox at your provider, or on a server of your own.',
      ],
    },
    {
      name: 'PASSWORD',
      secret: true,
      required: true,
      label: 'The password for IMAP and SMTP',
      steps: [
        'Gmail: turn on 2-Step Verification at myaccount.google.com/security.',
        'Then open myaccount.google.com/apppasswords, name the password "NanoClaw" and copy the 16 letters.',
        'iCloud, Yahoo, Fastmail and GMX also want an app password, made in their security settings.',
        'Elsewhere: the password of the mailbox.',
      ],
    },
    optional('USER', 'The name to log in with, when it is not the address'),
    optional('NAME', 'The name that stands in From; NanoClaw by default'),
    optional('IMAP_HOST', 'IMAP server; found by itself for known providers, else imap.<domain>'),
    optional('IMAP_PORT', 'Its port; 993 by default'),
    optional('IMAP_SECURITY', 'tls (default), starttls, or none on this machine alone'),
    optional('SMTP_HOST', 'SMTP server; found by itself for known providers, else smtp.<domain>'),
    optional('SMTP_PORT', 'Its port; 465 by default'),
    optional('SMTP_SECURITY', 'tls (default for port 465), starttls, or none on this machine alone'),
    optional('FOLDER', 'The folder that is read; INBOX by default'),
    optional(
      'AUTHSERV_ID',
      'What your mail server calls itself in Authentication-Results; known for Gmail',
      'Open any mail that came from elsewhere and show its source.',
      'The topmost line Authentication-Results begins with that name: mx.example.org; dkim=pass …',
      'Without it nobody who writes counts as known, since a From line can be forged.',
    ),
    optional('ALIASES', "More addresses of the assistant's, with commas between them"),
    optional('REPLIES_PER_HOUR', 'Mails to one address in an hour; 20 by default'),
  ],
  downloadMb: 14,
  proof: 'Real servers on this machine (Dovecot, Postfix) in its tests; Gmail and other providers were never met.',
};
