/** The host's own commands: the first word of a message, to the letter. An unknown `/x` is text for the agent. */

export const COMMANDS = {
  help: 'what you can say to the host itself',
  status: 'what is running here',
  stop: 'end what I am working on in this chat',
  clear: 'forget this conversation and begin a new one (memory and files stay)',
} as const;

export type CommandName = keyof typeof COMMANDS;

export function parseCommand(text: string): CommandName | undefined {
  const match = /^\/([a-z]+)(?=\s|$)/.exec(text.trimStart());
  const name = match?.[1];
  return name !== undefined && Object.hasOwn(COMMANDS, name) ? (name as CommandName) : undefined;
}

export function helpText(assistantName: string): string {
  const lines = Object.entries(COMMANDS).map(([name, what]) => `/${name} – ${what}`);
  return [
    `Anything that you write here goes to ${assistantName}. These are answered by the host at once:`,
    ...lines,
  ].join('\n');
}
