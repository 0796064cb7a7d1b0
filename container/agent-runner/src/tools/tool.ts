import type { z } from 'zod';

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

/** How long a tool of ours may take: what a provider declares for it. */
export const TOOL_TIMEOUT_MS = 60_000;

/** Every provider calls our tools through this: one that hangs ends as an error, and its neighbours go on. */
export async function runTool<Shape extends z.ZodRawShape>(
  tool: Tool<Shape>,
  input: z.infer<z.ZodObject<Shape>>,
  limitMs = TOOL_TIMEOUT_MS,
): Promise<ToolResult> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limitMs);
  const text = `Error: ${tool.name} took longer than ${limitMs / 1000} s and was ended.`;
  const ended = new Promise<ToolResult>((resolve) => {
    late.signal.addEventListener('abort', () => resolve({ text, isError: true }));
  });
  try {
    return await Promise.race([tool.run(input, late.signal), ended]);
  } finally {
    clearTimeout(timer);
  }
}
