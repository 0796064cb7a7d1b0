/** The session contract: everything that crosses between the host and an agent. See docs/sessions.md. */
export * from './container-config.ts';
export * from './content.ts';
export * from './fault.ts';
export * from './inbound-image.ts';
export * from './limits.ts';
export * from './rows.ts';
export * from './schema.ts';
export * from './sequence.ts';
export * from './snapshot.ts';
export * from './text.ts';
export * from './time.ts';
export * from './upgrade.ts';
