import { MAX_QUESTION } from '@nanoclaw/protocol';
import { z } from 'zod';

/** A tool of ours, independent of how a provider offers it to its model. */
export interface Tool<Shape extends z.ZodRawShape = z.ZodRawShape> {
  name: string;
  description: string;
  /** A zod raw shape: what the model may pass. */
  input: Shape;
  /** Never throws: what went wrong is text that the model can act on. Once `signal` is aborted, nothing more is done. */
  run(input: z.infer<z.ZodObject<Shape>>, signal?: AbortSignal): Promise<ToolResult>;
}

export interface ToolResult {
  text: string;
  isError?: boolean;
}

export const ASK_TOOL = 'ask_user_question';
/** How long a person has, when the question doesn't say. */
export const ANSWER_SECONDS = 300;
/** How long any other tool of ours may take. */
export const TOOL_TIMEOUT_MS = 60_000;

const Asked = z.object({
  timeout_seconds: z
    .number()
    .max(MAX_QUESTION.waitMs / 1000)
    .default(ANSWER_SECONDS),
});

/** What a provider declares for one of our tools, by its name and what is passed to it. */
export function toolTimeout(name: string, input: unknown): number {
  const asked = name === ASK_TOOL ? Asked.safeParse(input) : undefined;
  return TOOL_TIMEOUT_MS + (asked?.success ? asked.data.timeout_seconds * 1000 : 0);
}

/** Every provider calls our tools through this: one that hangs ends as an error, and its neighbours go on. */
export async function runTool<Shape extends z.ZodRawShape>(
  tool: Tool<Shape>,
  input: unknown,
  limitMs = toolTimeout(tool.name, input),
): Promise<ToolResult> {
  const read = z.object(tool.input).safeParse(input);
  if (!read.success) return { text: `Error: ${z.prettifyError(read.error)}`, isError: true };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limitMs);
  const text = `Error: ${tool.name} took longer than ${limitMs / 1000} s and was ended.`;
  const ended = new Promise<ToolResult>((resolve) => {
    late.signal.addEventListener('abort', () => resolve({ text, isError: true }));
  });
  try {
    return await Promise.race([tool.run(read.data, late.signal), ended]);
  } finally {
    clearTimeout(timer);
  }
}
