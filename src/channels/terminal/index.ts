export { createTerminalAdapter, type TerminalOptions } from './adapter.ts';
export { ClientFrame, ServerFrame } from './frames.ts';
