import type { Case } from './contract.ts';

/** Fifty things that went wrong with channels elsewhere, and the test that would notice each of them here. */

export interface Known {
  what: string;
  /** Asked of each adapter, by the suite. */
  cases?: readonly Case[];
  /** Asked of one of them, or of the host: a file, and the beginning of a test's name in it. */
  also?: readonly (readonly [file: string, test: string])[];
  note?: string;
}

const SIX = ['test/e2e/six-channels.test.ts', 'six channels at once'] as const;
const CRASHES = ['test/faults/crash.test.ts', ''] as const;
const DELIVERY = 'src/delivery/delivery.test.ts';
const SUPERVISOR = 'src/channels/supervisor.test.ts';
const TELEGRAM = 'channels/telegram/adapter.test.ts';
const EMAIL = 'channels/email/adapter.test.ts';
const MAILS = 'test/channels/email-table.test.ts';
const SLACK_SOCKET = 'channels/slack/socket.test.ts';
const DECIDING = 'admin/approvals/deciding.test.ts';

export const FIFTY: readonly Known[] = [
  { what: 'A crash after a message was received, before it was stored', cases: ['unstored'] },
  { what: 'A crash after it was stored, before that was acknowledged', cases: ['kept', 'stored'], also: [CRASHES] },
  { what: 'A crash after the reply, before it was noted', also: [CRASHES] },
  {
    what: 'A restart with its place lost, old or corrupt',
    cases: ['cursor-lost', 'cursor-stale', 'cursor-corrupt'],
    also: [[TELEGRAM, 'a remembered number that makes no sense']],
  },
  { what: 'A place that can not be written down once', cases: ['cursor-fails'] },
  { what: 'One message in two envelopes', cases: ['again'] },
  { what: 'The same envelope twice', cases: ['repeat'], also: [SIX] },
  { what: 'Two readers with one token', cases: ['rival'] },
  { what: 'Messages sent while it was down', cases: ['away'] },
  {
    what: 'What waited counts, what is ancient does not',
    cases: ['backlog'],
    also: [[EMAIL, 'mail that came while nobody was there']],
  },
  { what: 'More waited than one page holds', cases: ['backlog'] },
  { what: 'An event at the head that nobody can take', cases: ['unreadable', 'refused-for-good'] },
  {
    what: 'Acknowledged only after it was stored',
    cases: ['unstored', 'refused-for-now'],
    also: [['channels/web-server/server.test.ts', 'a platform is answered after the handler has resolved']],
  },
  {
    what: 'A slow turn holds nothing up',
    cases: ['not-held'],
    also: [['src/router.test.ts', 'a message of the owner is stored before']],
  },
  { what: 'Many at once', cases: ['burst'], also: [SIX, [EMAIL, 'two hundred mails at once']] },
  { what: 'Edited at once after it was written', cases: ['edited'] },
  { what: 'Edits, deletions and reactions start no turn', cases: ['edited', 'deleted', 'reacted'] },
  { what: 'Its own words come back, also before the send is answered', cases: ['echo', 'echo-first'] },
  { what: 'A chat with itself', cases: ['echo'], also: [[MAILS, "'own-mail': { dropped"]] },
  {
    what: 'Two bots that answer each other',
    cases: ['bot'],
    also: [
      ['channels/discord/adapter.test.ts', 'bots are heard when they call it'],
      [EMAIL, 'a brake'],
    ],
  },
  {
    what: 'Answers that lead back in',
    also: [['channels/webhook/own-answers.test.ts', 'an answer whose address leads back']],
  },
  { what: 'Its own mail, auto-replies, lists, bounces', also: [[MAILS, "'mailing-list': { dropped"]] },
  {
    what: 'Its own address in another spelling',
    also: [
      [MAILS, "'alias-mail': { dropped"],
      [TELEGRAM, 'the bot is meant by every form of mention'],
    ],
  },
  {
    what: 'A sender is an id, never a name',
    cases: ['inbound', 'name'],
    also: [['test/e2e/bad-platform.test.ts', 'whoever takes the owner’s name']],
  },
  {
    what: 'Reply-To and quotes give no rights',
    cases: ['reply'],
    also: [[MAILS, 'nobody gets into the thread of another chat']],
  },
  {
    what: 'Nobody is let in by an empty list',
    also: [['src/router.test.ts', 'a stranger, a stranger with a command']],
  },
  {
    what: 'Who is meant: by mention, by reply, by name, in code, another bot',
    cases: ['mention'],
    also: [
      [TELEGRAM, 'the bot is meant by every form of mention'],
      ['channels/slack/adapter.test.ts', 'a message is read with its links'],
    ],
  },
  {
    what: 'Text around the limit, in the unit that the platform counts',
    cases: ['text-limit', 'limit-escaped', 'long', 'awkward'],
    also: [['channels/text/split.test.ts', 'a text as long as the limit is one part']],
  },
  { what: 'A send that was taken, and its answer lost', cases: ['unknown', 'garbage', 'same-id'], also: [SIX] },
  {
    what: 'A part in the middle fails',
    also: [
      [DELIVERY, 'a long text comes in parts'],
      [DELIVERY, 'after a crash between two parts'],
      [TELEGRAM, 'files go out, pictures as pictures'],
    ],
  },
  { what: 'Too many requests, also for edits', cases: ['rate-limit', 'rate-limit-edit'], also: [SIX] },
  {
    what: 'Refused for good is not tried again; credentials that are lost are for a person',
    cases: ['forbidden', 'revoked'],
    also: [['test/e2e/bad-platform.test.ts', 'a token that is revoked in mid-run']],
  },
  {
    what: 'What fails after a send does not unsay it',
    cases: ['bookkeeping'],
    also: [[DELIVERY, 'what was said is not said again']],
  },
  {
    what: 'A sender that hangs has delivered nothing',
    cases: ['outbound'],
    also: [[DELIVERY, 'a chat whose adapter hangs']],
  },
  {
    what: 'What waits outlives a restart; a channel that is not there delivers nothing',
    also: [
      ['test/e2e/channels.test.ts', 'what waits for an account that is removed'],
      [DELIVERY, 'a message for a channel that is not there'],
    ],
  },
  { what: 'An answer goes to the chat and thread of its question', cases: ['thread'], also: [SIX] },
  {
    what: 'Formatting that is refused is said plainly',
    cases: ['markup'],
    also: [[TELEGRAM, 'a text is formatted, and sent as it was written']],
  },
  {
    what: 'Line ends, @everyone, headers: in text, names, targets, files',
    cases: ['injection', 'markup', 'file-gone'],
  },
  {
    what: 'Buttons: the one who was asked, once, after a restart, by words too',
    cases: ['buttons'],
    also: [
      [DECIDING, 'two at the same instant by two admins'],
      [DECIDING, 'after a restart the card is as good as before'],
      [DECIDING, 'on a channel without buttons'],
    ],
  },
  {
    what: 'Files: gone, empty, too large, two of one name',
    cases: ['file-in', 'file-out', 'file-gone', 'file-empty'],
    also: [['test/e2e/bad-platform.test.ts', 'a file of 2 GB is named']],
  },
  {
    what: 'What a turn says is said once',
    also: [['src/take-over/take-over.test.ts', 'an answer is queued once'], CRASHES],
  },
  {
    what: 'A line that ends, breaks or falls silent',
    cases: ['drop', 'gone'],
    also: [
      [EMAIL, 'a line that falls silent is noticed'],
      [SLACK_SOCKET, 'a line that is dead without a word'],
    ],
  },
  {
    what: 'A refresh leaves no gap',
    cases: ['reconnect'],
    also: [[SLACK_SOCKET, 'at a refresh the next socket is there']],
  },
  { what: 'A connection that can not be taken up again', cases: ['forgotten'] },
  { what: 'Pauses between tries grow, and begin anew', also: [[SUPERVISOR, 'one that hangs and one that is refused']] },
  {
    what: 'Refused credentials ask a person; one that hangs blocks no other',
    cases: ['bad-credentials', 'revoked'],
    also: [[SUPERVISOR, 'one that hangs and one that is refused']],
  },
  { what: 'After a reconnect groups are heard again', cases: ['reconnect'] },
  {
    what: 'A stream that is idle for minutes stays alive',
    note: 'Nothing waits that long: Telegram is asked every 50 s, IDLE begun anew, sockets have heartbeats. Not waited for in a test.',
  },
  { what: 'An end drains, lets go and leaves nothing', cases: ['stopped', 'stopped-twice'] },
  { what: 'One account ends without its sibling', cases: ['sibling'], also: [[SUPERVISOR, 'accounts come and go']] },
];

/** What people and platforms send that nobody should. */
export const BAD_INPUT: readonly Known[] = [
  {
    what: 'A webhook with a wrong signature, an old time, a replay, 50 MB, no JSON',
    also: [['test/channels/webhook.test.ts', 'bad input changes nothing']],
  },
  {
    what: 'A platform that answers 200 with garbage',
    cases: ['garbage'],
    also: [['test/e2e/bad-platform.test.ts', '200 with garbage']],
  },
  {
    what: 'A token that is revoked in mid-run',
    cases: ['revoked'],
    also: [['test/e2e/bad-platform.test.ts', 'a token that is revoked']],
  },
  { what: 'A group of 50,000', also: [['test/e2e/bad-platform.test.ts', 'a group of 50,000']] },
  {
    what: 'A message in a thread whose parent is gone',
    also: [
      ['test/e2e/bad-platform.test.ts', 'a topic that is gone'],
      ['channels/discord/adapter.test.ts', 'a thread that is gone'],
      ['channels/slack/adapter.test.ts', 'into a thread whose first message is gone'],
    ],
  },
  {
    what: 'A file of 2 GB',
    also: [
      ['test/e2e/bad-platform.test.ts', 'a file of 2 GB'],
      ['channels/slack/adapter.test.ts', 'a file that claims 2 GB'],
      ['channels/discord/adapter.test.ts', 'files come in from Discord alone'],
    ],
  },
  {
    what: 'A display name made of markup',
    cases: ['name'],
    also: [['test/e2e/bad-platform.test.ts', 'whoever takes the owner’s name']],
  },
  {
    what: 'A sender who takes the owner’s name',
    also: [['test/e2e/bad-platform.test.ts', 'whoever takes the owner’s name']],
  },
  {
    what: 'Mail: forged From, a bounce, a list, 40 levels, a zip bomb',
    also: [
      [EMAIL, 'what our own server vouches for'],
      [MAILS, 'bounce: { dropped'],
      [MAILS, "'mailing-list': { dropped"],
      [MAILS, "'forty-levels'"],
      [MAILS, "'zip-bomb'"],
    ],
  },
  {
    what: 'A package from git: another commit, a hostile manifest, scripts',
    also: [['test/e2e/channels-from-git.test.ts', 'is refused in a sentence, and no setting is kept']],
  },
];
