import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createMask } from './mask.ts';

const SECRET = 'sk-ant-sssk-secret"/+==';

describe('createMask', () => {
  test('takes a secret out of text, also when it is escaped or percent-encoded', () => {
    const mask = createMask(SECRET);
    for (const form of [SECRET, JSON.stringify(SECRET), encodeURIComponent(SECRET)]) {
      const masked = mask.text(`a ${form} b ${form}`);
      assert.equal(masked.length, `a ${form} b ${form}`.length);
      assert.doesNotMatch(masked, /ant/);
    }
  });

  test('leaves a secret too short to be one alone', () => assert.equal(createMask('abc').text('abcabc'), 'abcabc'));

  test('takes it out of a stream however that is cut, and changes no other byte', async () => {
    const part = fc.constantFrom(
      SECRET,
      SECRET.slice(0, 9),
      SECRET.slice(4),
      'sk-ant-',
      's',
      'hello ',
      '\n\n',
      'é',
      'k-',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 12 }),
        fc.array(fc.nat(40), { maxLength: 12 }),
        async (parts, sizes) => {
          const input = Buffer.from(parts.join(''));
          const stream = createMask(SECRET).stream();
          const output = buffer(stream);
          let at = 0;
          for (const size of sizes) {
            stream.write(Buffer.from(input.subarray(at, at + size)));
            at = Math.min(at + size, input.length);
          }
          stream.end(Buffer.from(input.subarray(at)));
          assert.equal((await output).toString(), input.toString().replaceAll(SECRET, '*'.repeat(SECRET.length)));
        },
      ),
    );
  });

  test('holds back nothing of an event that can not begin the secret', () => {
    const stream = createMask(SECRET).stream();
    stream.write(Buffer.from('data: {"sk":1}\n\n'));
    assert.equal(String(stream.read()), 'data: {"sk":1}\n\n');
    stream.destroy();
  });
});
