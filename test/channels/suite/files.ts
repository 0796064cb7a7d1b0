import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { type ContractCase, PATIENCE_MS, type Stage } from './stage.ts';

/** Files both ways. */

export function makeFile({ context }: Stage, as: string, content: string, name = as) {
  const path = join(context.folder, as);
  writeFileSync(path, content);
  return { name, path, size: content.length };
}

export const FILES: readonly ContractCase[] = [
  {
    name: 'file-in',
    title: 'a file comes in whole, by its name',
    async run({ events, hear }, skip) {
      const content = Buffer.from('what is in the file');
      await hear('look', { file: { name: 'notes.txt', content } });
      await until(() => events.length === 1, PATIENCE_MS);
      const [attachment] = events[0]?.attachments ?? [];
      if (!attachment) return skip('this far end sends no files');
      assert.equal(attachment.name, 'notes.txt');
      assert.deepEqual(readFileSync(attachment.localPath), content);
    },
  },
  {
    name: 'file-out',
    title: 'two files of one name arrive beside their text',
    async run(stage, skip) {
      if (stage.adapter.capabilities.maxFileBytes === undefined) return skip('it sends no files');
      const files = ['first', 'second!'].map((content, at) => makeFile(stage, `out-${at}`, content, 'report.txt'));
      assert.equal((await stage.say({ text: 'two files', files })).status, 'sent');
      const sizes = async () => (await stage.far.shown()).flatMap((one) => one.files ?? []).map(({ size }) => size);
      await until(async () => (await sizes()).length === 2, PATIENCE_MS);
      assert.deepEqual((await sizes()).sort(), [5, 7]);
      await stage.shown('two files');
    },
  },
  {
    name: 'file-gone',
    title: 'a file that is gone is told, and the chat goes on; a name brings no line end with it',
    async run(stage, skip) {
      const { far } = stage;
      if (stage.adapter.capabilities.maxFileBytes === undefined) return skip('it sends no files');
      const gone = { name: 'gone.txt', path: join(stage.context.folder, 'gone'), size: 4 };
      const result = await stage.say({ text: 'look at this', files: [gone] });
      const isSaid = async () => (await far.shown()).some(({ text }) => text.includes('gone.txt'));
      assert.ok(result.status === 'failed' || (await isSaid()), JSON.stringify(result));
      const named = makeFile(stage, 'named', 'four', 'up\r\nBcc: all@evil.test.txt');
      assert.equal((await stage.say({ text: 'and at that', files: [named] })).status, 'sent');
      const names = async () => (await far.shown()).flatMap((one) => one.files ?? []).map(({ name }) => name);
      await until(async () => (await names()).length === 1, PATIENCE_MS);
      assert.doesNotMatch((await names())[0] ?? '', /[\r\n]/);
    },
  },
  {
    name: 'file-empty',
    title: 'an empty file keeps nothing from being said',
    async run(stage, skip) {
      if (stage.adapter.capabilities.maxFileBytes === undefined) return skip('it sends no files');
      const result = await stage.say({ text: 'with nothing in it', files: [makeFile(stage, 'empty.txt', '')] });
      assert.equal(result.status, 'sent');
      await stage.shown('with nothing in it');
    },
  },
];
