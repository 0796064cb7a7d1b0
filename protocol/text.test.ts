import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteLength, cleanText, escapeXml, truncateBytes } from './text.ts';
import { isIsoTime, isoTime } from './time.ts';

/** Any UTF-16 at all, with NULs and unpaired surrogates. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });

test('clean text keeps what can be kept, and marks what can not', () => {
  assert.equal(cleanText('a\0b'), 'a\uFFFDb');
  assert.equal(cleanText('\uD83D'), '\uFFFD');
  assert.equal(cleanText('x\uDE00y'), 'x\uFFFDy');
  assert.equal(cleanText('👩‍👩‍👧 नमस्ते'), '👩‍👩‍👧 नमस्ते');
});

test('clean text comes back from SQLite as it went in', () => {
  const db = new DatabaseSync(':memory:');
  const echo = db.prepare('SELECT ? AS text');
  fc.assert(
    fc.property(anyText, (text) => {
      const clean = cleanText(text);
      assert.equal(echo.get(clean)?.text, clean);
      assert.equal(cleanText(clean), clean);
    }),
  );
  db.close();
});

test('a cut text is the longest beginning of whole characters that fits', () => {
  assert.equal(truncateBytes('\uFFFDab', 3), '\uFFFD');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 40 }), (text, bytes) => {
      const cut = truncateBytes(text, bytes);
      assert.ok(text.startsWith(cut));
      assert.ok(byteLength(cut) <= bytes);
      const next = [...text.slice(cut.length)][0];
      if (next !== undefined) assert.ok(byteLength(cut + next) > bytes);
    }),
  );
});

test('escaped text holds no markup, and can be read back', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const escaped = escapeXml(text);
      assert.ok(!/[<>"]/.test(escaped));
      const back = escaped.replaceAll('&quot;', '"').replaceAll('&gt;', '>').replaceAll('&lt;', '<');
      assert.equal(back.replaceAll('&amp;', '&'), text);
    }),
  );
});

test('times sort as text, and only the stored form is one', () => {
  const time = fc.integer({ min: 0, max: 4e12 });
  fc.assert(
    fc.property(time, time, (one, other) => {
      assert.equal(isoTime(one) < isoTime(other), one < other);
      assert.ok(isIsoTime(isoTime(one)));
    }),
  );
  for (const wrong of ['', 'now', '2026-01-01', '2026-01-01T00:00:00Z', '2026-02-30T00:00:00.000Z', '+010000-01-01']) {
    assert.equal(isIsoTime(wrong), false, wrong);
  }
});
