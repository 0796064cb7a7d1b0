import type {
  AgentQuery,
  ProviderEvent,
  ProviderFactory,
  ProviderOptions,
  QueryInput,
} from '@nanoclaw/agent-runner/provider';
import { EventQueue } from './runner/event-queue.ts';
import { readAsked } from './runner/prompt.ts';
import { answer } from './runner/rules.ts';

/** An agent that needs no account: rules instead of a model, the same sandbox and tools as any other. */
export const createProvider: ProviderFactory = (options) => ({
  name: 'demo',
  reportsById: true,
  query: (input) => startQuery(options, input),
});

function startQuery(options: ProviderOptions, { continuation, systemAddendum }: QueryInput): AgentQuery {
  const events = new EventQueue<ProviderEvent>();
  const waiting: { id: string; text: string }[] = [];
  const [, name = options.assistantName] = /^# You are (.+)$/m.exec(systemAddendum) ?? [];
  let count = Number(/^demo-(\d+)$/.exec(continuation ?? '')?.[1] ?? 0);
  let running: Promise<void> | null = null;
  let abort = new AbortController();
  let ended = false;
  events.push({ type: 'init', continuation: `demo-${count}` });

  /** One prompt after the other, as a model would read them between its tool calls; each settled on its own. */
  async function work(): Promise<void> {
    // Not at once: `running` has to be set before this can end.
    await Promise.resolve();
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const begun = performance.now();
      events.push({ type: 'started', id: next.id });
      const answers: string[] = [];
      for (const asked of readAsked(next.text)) {
        if (abort.signal.aborted) break;
        count++;
        answers.push(
          await answer(asked, { options, name, count, signal: abort.signal, emit: (event) => events.push(event) }),
        );
      }
      events.push({
        type: 'usage',
        model: 'rules',
        inputTokens: 0,
        outputTokens: 0,
        durationMs: performance.now() - begun,
      });
      events.push({ type: 'settled', ids: [next.id], text: answers.join('\n\n'), continuation: `demo-${count}` });
    }
    running = null;
    if (ended) events.end();
  }

  return {
    events,
    push(id, text) {
      waiting.push({ id, text });
      running ??= work();
    },
    compact(id) {
      events.push({
        type: 'settled',
        ids: [id],
        text: 'I am a set of rules and keep no conversation: there is nothing to summarise.',
      });
    },
    async interrupt() {
      const unread = waiting.splice(0);
      abort.abort();
      await running;
      abort = new AbortController();
      if (unread.length > 0) events.push({ type: 'settled', ids: unread.map(({ id }) => id), text: '' });
    },
    end() {
      ended = true;
      if (!running) events.end();
    },
  };
}
