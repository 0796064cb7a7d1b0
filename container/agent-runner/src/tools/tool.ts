import type { z } from 'zod';

/** A tool of ours, independent of how a provider offers it to its model. */
export interface Tool<Shape extends z.ZodRawShape = z.ZodRawShape> {
  name: string;
  description: string;
  /** A zod raw shape: what the model may pass. */
  input: Shape;
  /** Never throws: what went wrong is text that the model can act on. */
  run(input: z.infer<z.ZodObject<Shape>>): Promise<ToolResult>;
}

export interface ToolResult {
  text: string;
  isError?: boolean;
}
