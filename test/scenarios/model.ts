import {
  billing,
  createMessagesApi,
  cut,
  error,
  forbidden,
  type Gate,
  gate,
  type MessagesRequest,
  message,
  overloaded,
  promptTooLong,
  type Reply,
  rateLimited,
  resultText,
  say,
  serverError,
  tool,
  type Usage,
  unauthorized,
} from '../fakes/messages-api/index.ts';
import type { Failure, ModelStep, Step } from './scenario.ts';

/** One Messages API for all agents that play at a time; each is known by what its prompt calls it. */

export interface Part {
  /** What was asked since this part began: of each request, what is new in it. */
  readonly read: string[];
  /** Steps that nobody has asked for yet. */
  left(): number;
  /** What was asked when no step was left. */
  readonly surprises: string[];
  /** Opens the beginnings, one after the other. */
  goOn(): void;
  /** It has failed for long enough. */
  recover(): void;
  end(): void;
}

export interface Model {
  url: string;
  /** `fill`: puts the names of this time into texts. */
  play(agent: string, steps: readonly ModelStep[], endings: readonly string[], fill: (text: string) => string): Part;
  close(): Promise<void>;
}

const FAILING: Readonly<Record<Failure, () => Reply>> = {
  overloaded,
  'rate-limit': () => rateLimited(1),
  auth: unauthorized,
  forbidden,
  billing,
  context: promptTooLong,
  server: serverError,
  cut,
};

export async function startModel(): Promise<Model> {
  const parts = new Map<string, (request: MessagesRequest) => Reply>();
  const api = await createMessagesApi({
    otherwise(request) {
      const name = /^# You are (.+)$/m.exec(systemText(request))?.[1] ?? '';
      return parts.get(name)?.(request) ?? error(400, 'invalid_request_error', `Nobody plays ${name}.`);
    },
  });
  return {
    url: api.url,
    play(agent, steps, endings, fill) {
      const gates: Gate[] = [];
      const replies = steps.flatMap((step) => repliesTo(step, endings, gates, fill));
      const surprises: string[] = [];
      const read: string[] = [];
      parts.set(agent, (request) => {
        const news = newIn(request);
        read.push(news);
        const reply = replies[0]?.lasts ? replies[0].reply() : replies.shift()?.reply();
        if (!reply) surprises.push(news);
        return reply ?? error(400, 'invalid_request_error', 'The scenario says nothing more.');
      });
      let opened = 0;
      return {
        read,
        surprises,
        left: () => replies.length,
        goOn: () => gates[opened++]?.open(),
        recover: () => {
          if (!replies[0]?.lasts) throw new Error('It does not fail.');
          replies.shift();
        },
        end: () => void parts.delete(agent),
      };
    },
    close: api.close,
  };
}

/** `lasts`: to each request, until it is taken away. */
interface Answer {
  reply(): Reply;
  lasts?: boolean;
}

function repliesTo(
  step: ModelStep,
  endings: readonly string[],
  gates: Gate[],
  fill: (text: string) => string,
): Answer[] {
  const always = (reply: Reply): Answer[] => [{ reply: () => reply }];
  switch (step.does) {
    case 'say':
      return always({ ...say(fill(step.text)), ...(step.tokens !== undefined && { usage: costing(step.tokens) }) });
    case 'begin': {
      const opens = gate();
      gates.push(opens);
      return always(say(`${fill(step.text)} `, opens, fill(endings[gates.length - 1] ?? '')));
    }
    case 'call':
      return always(message(...step.calls.map(({ tool: name, input }) => tool(toolName(name), filled(input, fill)))));
    case 'fail':
      return Array.from({ length: step.times }, () => ({ reply: FAILING[step.failure] }));
    case 'keep-failing':
      return [{ reply: FAILING[step.failure], lasts: true }];
  }
}

function costing(tokens: number): Usage {
  return { input_tokens: 100, output_tokens: tokens };
}

/** Ours are written in small letters, those of the harness are not. */
function toolName(name: string): string {
  return /^[a-z]/.test(name) ? `mcp__nanoclaw__${name}` : name;
}

function filled(input: Record<string, unknown>, fill: (text: string) => string): Record<string, unknown> {
  const put = (value: unknown): unknown =>
    typeof value === 'string' ? fill(value) : Array.isArray(value) ? value.map(put) : value;
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, put(value)]));
}

function systemText({ system = '' }: MessagesRequest): string {
  return typeof system === 'string' ? system : system.map(({ text = '' }) => text).join('\n');
}

/** What came after the model's last words: prompts, and what its tools said. Pictures as `[image]`. */
function newIn({ messages }: MessagesRequest): string {
  const last = messages.findLastIndex(({ role }) => role === 'assistant');
  const blocks = messages.slice(last + 1).flatMap(({ content }) => content);
  return blocks
    .map((block) => {
      if (block.type === 'tool_result') return resultText(block);
      return block.type === 'image' ? '[image]' : (block.text ?? '');
    })
    .join('\n');
}

/** Of one agent, in order; and how its beginnings end. */
export function partOf(steps: readonly Step[], agent: string | undefined): { steps: ModelStep[]; endings: string[] } {
  return {
    steps: steps.flatMap((step) => (step.do === 'model' && step.step.agent === agent ? step.step : [])),
    endings: agent === undefined ? steps.flatMap((step) => (step.do === 'go-on' ? step.text : [])) : [],
  };
}
