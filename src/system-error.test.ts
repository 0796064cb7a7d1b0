import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NanoError } from './errors.ts';
import { asNanoError } from './system-error.ts';

const cases: [what: string, thrown: unknown, code: string, detail: RegExp][] = [
  ['one of ours', new NanoError('NC_USAGE', 'x'), 'NC_USAGE', /^x$/],
  ['no right', Object.assign(new Error('m'), { code: 'EACCES', path: '/a' }), 'NC_DATA_FOLDER', /^\/a: .* no right/],
  ['no right to a socket', Object.assign(new Error('m'), { code: 'EACCES', address: 's' }), 'NC_DATA_FOLDER', /^s: /],
  ['no room', Object.assign(new Error('m'), { code: 'ENOSPC', path: '/a' }), 'NC_DISK_FULL', /^\/a\.$/],
  [
    'not there',
    Object.assign(new Error('m'), { code: 'ENOENT', path: '/a' }),
    'NC_DATA_FOLDER',
    /^\/a: it is not there\.$/,
  ],
  [
    'a folder',
    Object.assign(new Error('m'), { code: 'EISDIR', path: '/a' }),
    'NC_DATA_FOLDER',
    /^\/a: it is a folder\.$/,
  ],
  ['beneath a file', Object.assign(new Error('m'), { code: 'ENOTDIR', path: '/a' }), 'NC_DATA_FOLDER', /no folder\.$/],
  ['a link to itself', Object.assign(new Error('m'), { code: 'ELOOP', path: '/a' }), 'NC_DATA_FOLDER', /circle\.$/],
  ['anything else', 'odd', 'NC_INTERNAL', /^odd$/],
];
for (const [what, thrown, code, detail] of cases) {
  test(`${what} is ${code}`, () => {
    const error = asNanoError(thrown);
    assert.equal(error.code, code);
    assert.match(error.detail ?? '', detail);
  });
}
