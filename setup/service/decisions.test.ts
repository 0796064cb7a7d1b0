import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseKind, type Kind, type Machine } from './choose.ts';
import { judge, type Seen } from './status.ts';

describe('what is installed where', () => {
  const linux: Machine = { platform: 'linux', isRoot: false, systemManager: true, userManager: true };
  const table: [name: string, machine: Machine, kind: Kind][] = [
    ['a user with a manager of their own', linux, 'systemd-user'],
    ['a user whom systemd gave none', { ...linux, userManager: false }, 'supervisor'],
    ['a user manager that stands alone', { ...linux, systemManager: false }, 'systemd-user'],
    ['root', { ...linux, isRoot: true, userManager: false }, 'systemd-system'],
    ['root, who has a manager as a user, too', { ...linux, isRoot: true }, 'systemd-system'],
    ['root in a container', { ...linux, isRoot: true, systemManager: false, userManager: false }, 'supervisor'],
    ['a Mac', { ...linux, platform: 'darwin', systemManager: false, userManager: false }, 'launchd'],
  ];
  for (const [name, machine, kind] of table) test(`${name}: ${kind}`, () => assert.equal(chooseKind(machine), kind));
});

describe('how it is', () => {
  const well: Seen = { running: true, pid: 7, hostPid: 7, crashes: 0, pauseLeft: 0 };
  const table: [name: string, seen: Seen, healthy: boolean, state: RegExp][] = [
    ['a host that answers', well, true, /the host runs \(pid 7\)/],
    ['a host beside it', { ...well, hostPid: 8 }, false, /outside of it \(pid 8\)/],
    [
      'a host, and nothing that keeps it',
      { ...well, running: false, pid: undefined },
      false,
      /outside of it \(pid 7\)/,
    ],
    [
      'stopped on purpose',
      { ...well, running: false, pid: undefined, hostPid: undefined },
      false,
      /stopped: `ncl start`/,
    ],
    [
      'killed with its supervisor',
      { ...well, running: false, pid: undefined, hostPid: undefined, abruptly: true },
      false,
      /ended without being asked to/,
    ],
    ['it boots', { ...well, hostPid: undefined }, false, /does not answer yet$/],
    ['a crash loop', { ...well, hostPid: undefined, crashes: 5, pauseLeft: 12 }, false, /in 12 s, after 5 starts/],
  ];
  for (const [name, seen, healthy, state] of table) {
    test(name, () => {
      assert.equal(judge(seen).healthy, healthy);
      assert.match(judge(seen).state, state);
    });
  }
});
