import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hostProvider as claude } from '../../providers/claude/host.ts';
import { credentialFromFile, credentialFromText, credentialLines } from './credential.ts';
import { StepFailure } from './failure.ts';

const ONLY_KEY = {
  ANTHROPIC_API_KEY: 'sk-ant-api03-for-a-test',
  ANTHROPIC_AUTH_TOKEN: undefined,
  CLAUDE_CODE_OAUTH_TOKEN: undefined,
};
const ONLY_TOKEN = {
  ANTHROPIC_API_KEY: undefined,
  ANTHROPIC_AUTH_TOKEN: undefined,
  CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-for-a-test',
};

describe('where a credential comes from', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'nanoclaw-credential-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (text: string) => {
    const path = join(folder, 'given');
    writeFileSync(path, text);
    return path;
  };

  test('from the environment, with the address that it is for', () => {
    assert.equal(credentialLines(claude, {}), undefined);
    assert.deepEqual(credentialLines(claude, { ANTHROPIC_API_KEY: ' sk-ant-api03-for-a-test ' }), ONLY_KEY);
    assert.deepEqual(
      credentialLines(claude, { ANTHROPIC_API_KEY: 'sk-ant-api03-for-a-test', ANTHROPIC_BASE_URL: 'http://x' }),
      {
        ...ONLY_KEY,
        ANTHROPIC_BASE_URL: 'http://x',
      },
    );
  });

  test('typed: a token by how it begins, otherwise a key; other kinds go', () => {
    assert.deepEqual(credentialFromText(' sk-ant-oat01-for-a-test\n'), ONLY_TOKEN);
    assert.deepEqual(credentialFromText('sk-ant-api03-for-a-test'), ONLY_KEY);
  });

  test('from a file: alone or as NAME=value', () => {
    assert.deepEqual(credentialFromFile(file('sk-ant-oat01-for-a-test\n'), claude), ONLY_TOKEN);
    assert.deepEqual(credentialFromFile(file('c2VjcmV0LWZvci1hLXRlc3Q=\n'), claude), {
      ...ONLY_KEY,
      ANTHROPIC_API_KEY: 'c2VjcmV0LWZvci1hLXRlc3Q=',
    });
    assert.deepEqual(
      credentialFromFile(file('# mine\nexport ANTHROPIC_API_KEY="sk-ant-api03-for-a-test"\n'), claude),
      ONLY_KEY,
    );
  });

  test('what is no credential is refused, and nothing of it is repeated', () => {
    const junk = [
      '',
      'two secretwords',
      'secretwords',
      'two secretwords that are long enough',
      'ANTHROPIC_BASE_URL=secretwords',
      'FOO=secretwords',
      'a_setting_of_another_program=secretwords',
      'CLAUDE_CODE_OAUTH_TOKEN=',
      'ANTHROPIC_API_KEY="two secretwords"',
      'secretwords-with-an-ümlaut-in-them',
    ];
    for (const text of junk) {
      assert.throws(
        () => credentialFromFile(file(text), claude),
        (error) => error instanceof StepFailure && !error.message.includes('secretwords'),
        text,
      );
    }
    assert.throws(() => credentialFromFile(join(folder, 'missing'), claude), StepFailure);
  });
});
