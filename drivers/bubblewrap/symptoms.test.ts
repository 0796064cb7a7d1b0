import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose, isTooOld, type Symptoms } from './symptoms.ts';

const healthy: Symptoms = {
  missing: [],
  version: '0.8.0',
  sysctls: { apparmor: null, clone: null, max: '96000' },
  inContainer: false,
  root: false,
  output: '',
};
const noNamespace = 'bwrap: No permissions to create new namespace, likely because the kernel does not allow it';
const noMap = 'bwrap: setting up uid map: Permission denied';

const cases: [name: string, change: Partial<Symptoms>, reason: RegExp, remedy: RegExp][] = [
  ['not installed', { missing: ['bubblewrap'] }, /bubblewrap is not installed/, /apt-get install -y bubblewrap/],
  ['two tools missing', { missing: ['bubblewrap', 'prlimit'] }, /and prlimit are not/, /util-linux/],
  ['Ubuntu 22.04', { version: '0.6.1' }, /0\.6\.1 is too old/, /docker driver/],
  [
    'max 0',
    { sysctls: { ...healthy.sysctls, max: '0' }, output: noNamespace },
    /max_user_namespaces is 0/,
    /user\.max_user_namespaces=15000/,
  ],
  [
    'Debian hardening',
    { sysctls: { ...healthy.sysctls, clone: '0' } },
    /unprivileged_userns_clone is 0/,
    /sudo tee .* && sudo sysctl --system/,
  ],
  [
    'Ubuntu 24.04',
    { sysctls: { ...healthy.sysctls, apparmor: '1' }, output: noMap },
    /AppArmor/,
    /\/etc\/apparmor\.d\/bwrap.*sudo systemctl reload apparmor/,
  ],
  [
    'inside Docker',
    { inContainer: true, output: noNamespace },
    /container itself/,
    /seccomp=unconfined --security-opt systempaths=unconfined/,
  ],
  ['RHEL 9', { output: 'bwrap: cannot open /proc/sys/user/max_user_namespaces' }, /nested user namespaces/, /kernel/],
  [
    'unreadable checkout',
    { output: "bwrap: Can't find source path /home/a/b: Permission denied" },
    /can not read/,
    /chmod o\+x/,
  ],
  ['unknown', { output: 'bwrap: something new' }, /something new/, /docs\/sandboxes\.md/],
];

for (const [name, change, reason, remedy] of cases) {
  test(`${name}: says why and what to do`, () => {
    const found = diagnose({ ...healthy, ...change });
    assert.match(found.reason, reason);
    assert.match(found.remedy, remedy);
  });
}

test('root is not told to use sudo', () => {
  assert.doesNotMatch(diagnose({ ...healthy, root: true, missing: ['bubblewrap'] }).remedy, /sudo/);
});

test('0.8 is the oldest that will do', () => {
  assert.deepEqual(
    ['0.6.1', '0.7.0', '0.8.0', '0.11.0', '1.0.0'].map((version) => isTooOld(version)),
    [true, true, false, false, false],
  );
});
