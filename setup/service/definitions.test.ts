import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { addToCrontab, type BootHook, cronHook, dropFromCrontab, initScript } from './boot-hook.ts';
import { requireTools } from './choose.ts';
import { requireOneLine, shellWord } from './escape.ts';
import { launchdPlist } from './launchd-plist.ts';
import { inspect, ownerOf, seal } from './marker.ts';
import { leftOut, type Plan, planFor } from './plan.ts';
import { supervisorScript } from './supervisor-script.ts';
import { systemdUnit } from './systemd-unit.ts';

/** Everything that a reader of one of these files could take for its own. */
const NASTY = `/srv/a b/100% "q" 'r' $HOME \\n <&> #;`;

function plan(home: string): Plan {
  return {
    name: 'nanoclaw-v2-0123abcd',
    owner: ownerOf(home),
    root: home,
    home,
    host: [join(home, '.runtime/bin/node'), '--use-system-ca', join(home, 'src/index.ts')],
    environment: { PATH: '/usr/bin:/bin', NANOCLAW_HOME: home },
  };
}

describe('a systemd unit', () => {
  test('starts the host from its own folder, for ever, and ends it in order', () => {
    const unit = systemdUnit(plan('/srv/nc'), 'system');
    for (const line of [
      'WorkingDirectory=/srv/nc',
      'Environment="NANOCLAW_HOME=/srv/nc"',
      'ExecStart="/bin/sh" "/srv/nc/setup/service/launch.sh" "/srv/nc" "/srv/nc/.runtime/bin/node" "--use-system-ca" "/srv/nc/src/index.ts"',
      'Restart=on-failure',
      'StartLimitIntervalSec=0',
      'KillMode=mixed',
      'Delegate=yes',
      'WantedBy=multi-user.target',
    ]) {
      assert.ok(unit.split('\n').includes(line), `${line} is not in:\n${unit}`);
    }
    assert.match(systemdUnit(plan('/srv/nc'), 'user'), /^WantedBy=default\.target$/m);
  });

  test('keeps blanks, quotes, dollars and percent signs of a path as they are', () => {
    const unit = systemdUnit(plan(NASTY), 'system');
    assert.match(unit, /^WorkingDirectory=\/srv\/a b\/100%% "q" 'r' \$HOME \\n <&> #;$/m);
    assert.match(unit, /^Environment="NANOCLAW_HOME=\/srv\/a b\/100%% \\"q\\" 'r' \$HOME \\\\n <&> #;"$/m);
    assert.match(unit, /^ExecStart=.* "\/srv\/a b\/100%% \\"q\\" 'r' \$\$HOME \\\\n <&> #;" /m);
  });

  test('is not led astray by a backslash at the end of a path', () => {
    const unit = systemdUnit(plan('/srv/nc\\'), 'system');
    assert.match(unit, /^Description=NanoClaw at \/srv\/nc\\\/$/m);
    assert.doesNotMatch(unit, /\\$/m);
  });

  const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;
  test('pleases systemd itself', { skip: analyze ? false : 'systemd-analyze is not on this machine' }, () => {
    const folder = mkdtempSync(join(tmpdir(), `nanoclaw % "q" 'r' $HOME -`));
    try {
      for (const scope of ['system', 'user'] as const) {
        const file = join(folder, `${scope}.service`);
        writeFileSync(file, systemdUnit(plan(folder), scope));
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
        assert.equal(
          stderr
            .split('\n')
            .filter((line) => line.includes(`${scope}.service`))
            .join('\n'),
          '',
        );
        assert.equal(status, 0, stderr);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('a launchd property list restarts what failed alone, and escapes what XML would read', () => {
  const plist = launchdPlist(plan(NASTY));
  assert.match(plist, /<key>Label<\/key>\s+<string>nanoclaw-v2-0123abcd<\/string>/);
  assert.match(plist, /<key>KeepAlive<\/key>\s+<dict>\s+<key>SuccessfulExit<\/key>\s+<false\/>/);
  assert.match(plist, /<string>\/srv\/a b\/100% &quot;q&quot; &apos;r&apos; \$HOME \\n &lt;&amp;&gt; #;<\/string>/);
  assert.ok(!plist.replace(/<!--.*-->/g, '').includes('<!--'));
});

test("our own supervisor's script is read by sh as it is meant", () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-service-'));
  try {
    const home = join(folder, `a b % "q" 'r' $HOME \\n`);
    mkdirSync(join(home, 'setup/service'), { recursive: true });
    // In the place of supervise.sh: tells what it was given.
    writeFileSync(join(home, 'setup/service/supervise.sh'), 'printf "%s\\n" "$NANOCLAW_HOME" "$LEAK" "$@"\n');
    const file = join(folder, 'script');
    writeFileSync(file, supervisorScript(plan(home)));
    const told = execFileSync('/bin/sh', [file], { encoding: 'utf8', env: { LEAK: 'from the caller' } });
    assert.deepEqual(told.trimEnd().split('\n'), [home, '', home, ...plan(home).host]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('without flock our own supervisor says so, and is not chosen', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-service-'));
  try {
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    for (const name of ['dirname', 'mkdir', 'date', 'wc']) {
      writeFileSync(join(programs, name), `#!/bin/sh\nPATH='${process.env.PATH}' exec ${name} "$@"\n`, { mode: 0o755 });
    }
    const script = join(import.meta.dirname, 'supervise.sh');
    const { status } = spawnSync('/bin/sh', [script, folder, 'true'], { env: { PATH: programs } });
    const said = readFileSync(join(folder, 'logs/supervisor.log'), 'utf8');
    assert.match(said, /there is no flock/);
    assert.equal(status, 4);
    assert.throws(() => requireTools('supervisor', programs), { code: 'NC_SERVICE', message: /flock/ });
    requireTools('systemd-user', programs);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a control character in a path is refused', () => {
  assert.throws(() => requireOneLine('/srv/a\nExecStart=/bin/evil'), { code: 'NC_SERVICE' });
});

describe('the marker', () => {
  const owner = ownerOf('/srv/nc');
  const text = systemdUnit(plan('/srv/nc'), 'user');
  const table: [name: string, text: string | undefined, whose: string][] = [
    ['no file', undefined, 'absent'],
    ['as it was made', text, 'mine'],
    ['a line more', `${text}Nice=5\n`, 'edited'],
    ['a character less', text.replace('RestartSec=1', 'RestartSec='), 'edited'],
    ['of another install with the same name', systemdUnit(plan('/srv/other'), 'user'), 'foreign'],
    ['without a marker', '[Service]\nExecStart=/bin/true\n', 'foreign'],
    ['empty', '', 'foreign'],
  ];
  for (const [name, found, whose] of table) {
    test(`${name}: ${whose}`, () => assert.equal(inspect(found, owner), whose));
  }

  test('is the same in each kind of file', () => {
    for (const render of [launchdPlist, supervisorScript])
      assert.equal(inspect(render(plan('/srv/nc')), owner), 'mine');
    assert.equal(inspect(seal('# nanoclaw-service\n', owner), owner), 'mine');
  });
});

describe('what a service takes from the shell that installs it', () => {
  test('a proxy without a password, and an authority of its own', () => {
    const env = {
      HTTPS_PROXY: 'http://proxy:3128',
      https_proxy: 'http://me:secret@proxy',
      NODE_EXTRA_CA_CERTS: '/opt/ca.pem',
    };
    const { environment } = planFor('.', process.cwd(), {
      ...env,
      HOME: '/home/me',
      ANTHROPIC_API_KEY: 'sk-ant-secret',
    });
    assert.equal(environment.HTTPS_PROXY, 'http://proxy:3128');
    assert.equal(environment.NODE_EXTRA_CA_CERTS, '/opt/ca.pem');
    assert.ok(!JSON.stringify(environment).includes('secret'));
    assert.deepEqual(leftOut(env), ['https_proxy']);
  });

  test("not the system's own bundle, which is used anyway, nor the PATH", () => {
    const { environment } = planFor('.', process.cwd(), {
      NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca.crt',
      PATH: '/me/bin',
    });
    assert.equal(environment.NODE_EXTRA_CA_CERTS, undefined);
    assert.ok(!environment.PATH?.includes('/me/bin'));
  });
});

describe('cron', () => {
  const line = `@reboot /bin/sh '/srv/50\\% off/x.sh' # nanoclaw-v2-0123abcd\n`;
  const add = (text: string) => addToCrontab(text, 'nanoclaw-v2-0123abcd', '/srv/50% off/x.sh');
  test('one line is added, once, and nothing else is touched', () => {
    assert.equal(add(''), line);
    assert.equal(add('0 1 * * * backup'), `0 1 * * * backup\n${line}`);
    assert.equal(add(add('# mine\n')), `# mine\n${line}`);
  });
  test('and that line alone is dropped', () => {
    const others = '# nanoclaw-v2-0123abcd\n@reboot /bin/x # nanoclaw-v2-99999999\n';
    assert.equal(dropFromCrontab(add(others), 'nanoclaw-v2-0123abcd'), others);
  });

  /** Runs the work with a crontab command that lists as told, and returns what was written by it. */
  async function written(list: string, work: (hook: BootHook) => Promise<unknown>): Promise<string | undefined> {
    const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-cron-'));
    const path = process.env.PATH;
    const table = join(folder, 'table');
    writeFileSync(join(folder, 'crontab'), `#!/bin/sh\n[ "$1" = -l ] || exec cat >'${table}'\n${list}\n`, {
      mode: 0o755,
    });
    process.env.PATH = `${folder}:${path}`;
    try {
      await work(cronHook('nanoclaw-v2-0123abcd', '/srv/50% off/x.sh'));
      return existsSync(table) ? readFileSync(table, 'utf8') : undefined;
    } finally {
      process.env.PATH = path;
      rmSync(folder, { recursive: true });
    }
  }
  test('who has no crontab gets one', async () => {
    assert.equal(await written('echo "no crontab for me" >&2; exit 1', (hook) => hook.add()), line);
  });
  const unread = ['echo "cannot open your crontab" >&2; exit 1', 'kill -TERM $$', 'exit 1'];
  for (const list of unread)
    test(`a crontab that can not be read is not written over: ${list}`, async () => {
      const refused = (hook: BootHook) => assert.rejects(hook.add(), { code: 'NC_SERVICE' });
      assert.equal(await written(list, refused), undefined);
      const removed = async (hook: BootHook) => {
        assert.match(String(await hook.remove()), /stays as it is/);
        assert.equal((await hook.survives()).holds, false);
      };
      assert.equal(await written(list, removed), undefined);
    });
});

test('a System V init script parses, and names what it provides', () => {
  const script = initScript('nanoclaw-v2-0123abcd', NASTY);
  assert.equal(spawnSync('/bin/sh', ['-n'], { input: script }).status, 0);
  assert.match(script, /^# Provides: +nanoclaw-v2-0123abcd$/m);
  const word = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(NASTY)}`], { encoding: 'utf8' });
  assert.equal(word, NASTY);
});
