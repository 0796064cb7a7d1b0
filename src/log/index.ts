export { humanLine } from './human.ts';
export { createLogger, type Level, type LogFields, type Logger, type LoggerOptions } from './logger.ts';
export { printable } from './printable.ts';
export { createRedactor } from './redact.ts';
