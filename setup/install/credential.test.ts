import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hostProvider as claude } from '../../providers/claude/host.ts';
import { credentialFromFile, credentialFromText, credentialLines } from './credential.ts';
import { StepFailure } from './failure.ts';

const ONLY_KEY = {
  ANTHROPIC_API_KEY: 'sk-ant-api03-x',
  ANTHROPIC_AUTH_TOKEN: undefined,
  CLAUDE_CODE_OAUTH_TOKEN: undefined,
};
const ONLY_TOKEN = {
  ANTHROPIC_API_KEY: undefined,
  ANTHROPIC_AUTH_TOKEN: undefined,
  CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-x',
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
    assert.deepEqual(credentialLines(claude, { ANTHROPIC_API_KEY: ' sk-ant-api03-x ' }), ONLY_KEY);
    assert.deepEqual(credentialLines(claude, { ANTHROPIC_API_KEY: 'sk-ant-api03-x', ANTHROPIC_BASE_URL: 'http://x' }), {
      ...ONLY_KEY,
      ANTHROPIC_BASE_URL: 'http://x',
    });
  });

  test('typed: a token by how it begins, otherwise a key; other kinds go', () => {
    assert.deepEqual(credentialFromText(' sk-ant-oat01-x\n'), ONLY_TOKEN);
    assert.deepEqual(credentialFromText('sk-ant-api03-x'), ONLY_KEY);
  });

  test('from a file: alone or as NAME=value', () => {
    assert.deepEqual(credentialFromFile(file('sk-ant-oat01-x\n'), claude), ONLY_TOKEN);
    assert.deepEqual(credentialFromFile(file('# mine\nexport ANTHROPIC_API_KEY="sk-ant-api03-x"\n'), claude), ONLY_KEY);
  });

  test('what is no credential is refused, and nothing of it is repeated', () => {
    for (const text of ['', 'two secretwords', 'ANTHROPIC_BASE_URL=secretwords']) {
      assert.throws(
        () => credentialFromFile(file(text), claude),
        (error) => error instanceof StepFailure && !error.message.includes('secretwords'),
      );
    }
    assert.throws(() => credentialFromFile(join(folder, 'missing'), claude), StepFailure);
  });
});
