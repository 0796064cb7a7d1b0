import type { Result } from '../../admin/view.ts';
import type { ChannelReport } from '../../src/channels/supervisor.ts';
import { printable } from '../../src/log/printable.ts';
import { attach, chats, enable, type KnownChat, remove, test, unknown, wire } from '../channels/accounts.ts';
import { channelsAdd, channelsPair, channelsTest } from '../channels/commands.ts';
import type { Entrance, Unfinished } from '../channels/entering.ts';
import type { Tested } from '../channels/try-account.ts';
import { type ClientCommand, type Command, hostCommand, textOf } from '../definition.ts';
import { type Look, paint } from '../screen.ts';
import { table } from '../table.ts';
import { shown } from './resource.ts';

/** Accounts on platforms: the owner's business alone, so that agents have none of these. */

const account = { name: 'account', description: 'one of `ncl channels list`', required: true } as const;
const STATES = { connected: 'green', connecting: 'yellow', failed: 'red' } as const;

const available: ClientCommand = {
  name: 'channels available',
  summary: 'The platforms that can be connected, and what each would download',
  place: 'client',
  async run(_args, { root, screen, json }) {
    const { listAvailable } = await import('../channels/packages.ts');
    const found = await listAvailable(root);
    if (json) {
      screen.out(JSON.stringify(found.map(({ manifest, installed }) => ({ ...manifest, installed }))));
      return 0;
    }
    const rows = found.map(({ manifest: { name, title, summary, downloadMb }, installed }) => [
      name,
      title,
      installed || downloadMb === 0 ? 'nothing' : `${downloadMb} MB`,
      summary,
    ]);
    screen.out(
      rows.length === 0 ? 'This checkout has none.' : table(['NAME', 'TITLE', 'DOWNLOADS', 'WHAT'], rows, screen),
    );
    return 0;
  },
};

const list = hostCommand<ChannelReport[]>({
  name: 'channels list',
  summary: 'The accounts, and how each of them is',
  handle: (view) => ({ ok: true, data: view.channels.supervisor.reports() }),
  show: (reports, look) =>
    reports.length === 0
      ? 'There is none beside the terminal: `ncl channels available` shows what there is.'
      : table(
          ['ACCOUNT', 'CHANNEL', 'STATE', 'DETAIL'],
          reports.map(({ instance, channel, enabled, state, detail }) => [
            instance,
            channel,
            enabled ? paint(look, STATES[state], state) : 'off',
            shown(detail),
          ]),
          look,
        ),
});

const attachHost = hostCommand<Tested>({
  name: 'channels attach',
  summary: 'The host takes an account into use: a step of `ncl channels add`',
  hidden: true,
  positionals: [
    { name: 'instance', description: 'its name', required: true },
    { name: 'channel', description: 'its channel', required: true },
  ],
  flags: [
    { name: 'source', value: 'folder', description: 'of a package that is not one of ours' },
    { name: 'untested', description: 'also when its settings before work, and these do not' },
  ],
  handle: (view, args, { by, now }) =>
    attach(
      view,
      {
        instance: textOf(args, 'instance') ?? '',
        channel: textOf(args, 'channel') ?? '',
        source: textOf(args, 'source') ?? null,
        untested: args.untested === true,
      },
      by,
      now,
    ),
  show: attached,
});

const enterHost = hostCommand<Entrance>({
  name: 'channels enter',
  summary: 'How the owner comes into an account: a step of `ncl channels pair`',
  hidden: true,
  positionals: [account],
  handle: async (view, args, { by, now }) =>
    (await import('../channels/entering.ts')).enter(view, textOf(args, 'account') ?? '', by, now),
  show: ({ kind }) => kind,
});

const unfinishedHost = hostCommand<Unfinished[]>({
  name: 'channels unfinished',
  summary: 'Accounts into which nobody has come yet: what a setup takes up again',
  hidden: true,
  handle: async (view) => ({ ok: true, data: await (await import('../channels/entering.ts')).unfinished(view) }),
  show: (found) => found.map(({ instance, sentence }) => `${instance}: ${sentence}`).join('\n'),
});

const remover = hostCommand({
  name: 'channels remove',
  summary: 'Forget an account, with its credentials; its chats and what was said there stay',
  positionals: [account],
  handle: (view, args, { by, now }) => remove(view, textOf(args, 'account') ?? '', by, now),
  show: () => 'It is removed, with its credentials.',
});

const tester = hostCommand<Tested>({
  name: 'channels try',
  summary: 'The host tries an account: a step of `ncl channels test`',
  hidden: true,
  positionals: [account],
  handle: (view, args) => test(view.channels, textOf(args, 'account') ?? ''),
  show: told,
});

const onOff = ([name, enabled, summary, done]: (typeof SWITCHES)[number]) =>
  hostCommand({
    name: `channels ${name}`,
    summary,
    positionals: [account],
    handle: (view, args, { by, now }) => enable(view, textOf(args, 'account') ?? '', enabled, by, now),
    show: () => done,
  });
const SWITCHES = [
  ['enable', true, 'Take an account into use again', 'It is being connected.'],
  ['disable', false, 'Leave an account alone; its settings stay', 'It is switched off.'],
] as const;

const lister = hostCommand<KnownChat[]>({
  name: 'channels chats',
  summary: 'The chats of an account, and who listens there',
  positionals: [account],
  handle: (view, args) => chats(view, textOf(args, 'account') ?? ''),
  show: (found, look) =>
    found.length === 0
      ? 'None is known yet: the platform tells of them once somebody has written there.'
      : table(
          ['CHAT', 'NAME', 'KIND', 'AGENTS'],
          found.map(({ platformId, name, isGroup, left, agents }) => [
            platformId,
            shown(name),
            `${isGroup ? 'group' : 'direct'}${left ? ', left' : ''}`,
            shown(agents),
          ]),
          look,
        ),
});

const wirer = hostCommand({
  name: 'channels wire',
  summary: 'Let an agent listen in a chat, and send there',
  positionals: [account, { name: 'chat', description: 'its id, or its name', required: true }],
  flags: [{ name: 'agent', value: 'agent', ref: 'group', description: 'which; not needed where there is only one' }],
  handle: (view, args, { by, now }) =>
    wire(
      view,
      { instance: textOf(args, 'account') ?? '', chat: textOf(args, 'chat') ?? '', agent: textOf(args, 'agent') },
      by,
      now,
    ),
  show: ({ id, destination }) => `It listens there from now on (${id}), and calls the chat “${destination}”.`,
});

const login = hostCommand({
  name: 'channels login',
  summary: 'A fresh link or code to come in by, where the channel has one',
  positionals: [account],
  flags: [{ name: 'user', value: 'name', description: 'for whom; for the owner at first' }],
  async handle(view, args): Promise<Result<{ login: string }>> {
    const instance = textOf(args, 'account') ?? '';
    const row = view.channels.instances.get(instance);
    if (!row) return unknown(instance);
    const { plugin, context } = await view.channels.supervisor.open(row);
    if (plugin.login) return { ok: true, data: { login: await plugin.login(context, textOf(args, 'user')) } };
    return { ok: false, code: 'NC_CHANNEL', detail: `${instance} needs none: its settings are all.` };
  },
  show: (answer) => answer.login,
});

const webhookUrl = hostCommand({
  name: 'channels webhook-url',
  summary: 'Where a platform reaches an account that takes webhooks',
  positionals: [account],
  handle: (view, args): Result<{ url: string }> => {
    const instance = textOf(args, 'account') ?? '';
    if (!view.channels.instances.get(instance)) return unknown(instance);
    return { ok: true, data: { url: view.channels.webhookUrl(instance) } };
  },
  show: ({ url }) => url,
});

function attached(tested: Tested, look: Look): string {
  const { instance, ok, kept } = tested;
  if (ok) {
    const next = `To come in: ncl channels pair ${instance}. Its chats: ncl channels chats ${instance}.`;
    return `${instance} is added. ${told(tested, look)}\n${next}`;
  }
  const then = kept
    ? 'Its settings from before work and stay; --untested takes the new ones all the same.'
    : `${instance} is added, and the host goes on trying. \`ncl channels remove ${instance}\` forgets it.`;
  return `${told(tested, look)}\n${then}`;
}

function told(tested: Tested, look: Look): string {
  // It holds names that others have chosen.
  const [ok, sentence] = [tested.ok, printable(tested.sentence)];
  return ok ? sentence : paint(look, 'yellow', `It does not work yet: ${sentence}`);
}

export const channels: readonly Command[] = [
  available,
  channelsAdd,
  channelsPair,
  channelsTest,
  list,
  lister,
  wirer,
  login,
  webhookUrl,
  ...SWITCHES.map(onOff),
  remover,
  attachHost,
  tester,
  enterHost,
  unfinishedHost,
];
