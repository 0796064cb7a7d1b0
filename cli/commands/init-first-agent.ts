import { type ClientCommand, textOf } from '../definition.ts';
import { requireProvider } from '../require-provider.ts';

export const initFirstAgent: ClientCommand = {
  name: 'init-first-agent',
  summary: 'Make the first agent and its chat in this terminal, or change it',
  flags: [
    { name: 'name', value: 'name', description: 'what the agent is called; Andy at first' },
    { name: 'provider', value: 'name', description: 'the model harness: claude, demo' },
    { name: 'timezone', value: 'zone', description: "such as Europe/Berlin; this machine's at first" },
    { name: 'no-welcome', description: "it doesn't speak first in its chat" },
  ],
  place: 'client',
  async run(args, { root, home, screen, json }) {
    const { initFirstAgent: init } = await import('../../admin/first-agent.ts');
    const name = textOf(args, 'name');
    const provider = textOf(args, 'provider');
    const timezone = textOf(args, 'timezone');
    const note = provider && (await requireProvider(root, home, provider));
    if (note) screen.err(note);
    const { agent, created, changed } = init(home, {
      ...(name !== undefined && { name }),
      ...(provider !== undefined && { provider }),
      ...(timezone !== undefined && { timezone }),
      welcome: args['no-welcome'] === undefined,
    });
    if (json)
      screen.out(
        JSON.stringify({ id: agent.id, name: agent.assistantName, provider: agent.provider, created, changed }),
      );
    else if (created) screen.out(`${agent.assistantName} is there (${agent.id}, ${agent.provider}).`);
    else
      screen.out(changed.length === 0 ? `${agent.assistantName} is there already.` : `Changed: ${changed.join(', ')}.`);
    return 0;
  },
};
