import { type ClientCommand, hostCommand } from '../definition.ts';

export const doctorHost = hostCommand({
  name: 'doctor-host',
  summary: 'What only the host can check',
  hidden: true,
  handle: async (view) => ({ ok: true, data: await view.doctorChecks() }),
  show: (checks) => checks.map(({ name, ok, detail }) => `${name}: ${ok ? 'ok' : 'failed'}: ${detail}`).join('\n'),
});

export const doctor: ClientCommand = {
  name: 'doctor',
  summary: 'Check what an answer needs, and say what to do; works without a host',
  place: 'client',
  run: async (_args, context) => (await import('../doctor/index.ts')).runDoctor(context),
};
