import type { Engine } from '../engine.ts';
import { createHttp } from '../http.ts';

/** A rootful Docker that may set every limit, and that nobody listens for. */
export const DOCKER: Engine = {
  http: createHttp('/nowhere.sock'),
  prefix: '/v1.41',
  name: 'Docker',
  version: '20.10',
  rootless: false,
  remapsUsers: false,
  selinux: false,
  machine: 'x64',
  sameKernel: true,
  limits: { memory: true, swap: true, cpu: true, pids: true },
  countsInside: false,
  cgroups: 'cgroup v2',
  runtimes: ['runc'],
  defaultRuntime: 'runc',
};
