import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commanded, helpText, parseCommand, strangerIn } from './parse.ts';

const texts: [text: string, name: string | undefined, at?: string][] = [
  ['/help', 'help'],
  ['  /Status please', 'status'],
  ['/STOP', 'stop'],
  ['/clear\neverything', 'clear'],
  ['/leave@Andy', 'leave', 'Andy'],
  ['/help@nano_bot now', 'help', 'nano_bot'],
  ['/help@', undefined],
  ['/helpme', undefined],
  ['/help-me', undefined],
  ['/constructor', undefined],
  ['help', undefined],
  ['say /help', undefined],
  ['/ help', undefined],
  ['', undefined],
];

describe('a command', () => {
  for (const [text, name, at] of texts) {
    test(JSON.stringify(text), () => assert.deepEqual(parseCommand(text), name && { name, at }));
  }
});

const andy = { assistantName: 'Andy' };
const bea = { assistantName: 'Bea Maria' };

describe('whom it is for', () => {
  const cases: [text: string, isGroup: boolean, isMention: boolean, agents: (typeof andy)[]][] = [
    ['/stop', true, false, [andy, bea]],
    ['/stop', false, true, [andy, bea]],
    ['/stop@Andy', true, false, [andy]],
    ['/stop @bea maria', true, false, [bea]],
    ['/stop @Andy @Bea Maria', true, false, [andy, bea]],
    ['/stop@our_bot', true, true, [andy, bea]],
    ['/stop@our_bot @Andy', true, true, [andy]],
    ['/stop@other_bot', true, false, []],
    ['/stop@other_bot', false, false, []],
    ['/stop@our_bot', false, true, [andy, bea]],
    ['/stop @Nobody', true, false, []],
    ['/stop @Nobody', false, true, [andy, bea]],
    ['/stop ann@Andy.org', true, false, [andy, bea]],
  ];
  for (const [text, isGroup, isMention, agents] of cases) {
    test(`${text}, ${isGroup ? 'in a group' : 'alone'}${isMention ? ', mentioned' : ''}`, () => {
      const command = parseCommand(text);
      assert.ok(command);
      assert.deepEqual(commanded(command, { text, isGroup, isMention }, [andy, bea]), agents);
    });
  }
});

test('a command may be said to somebody who is not here', () => {
  assert.equal(strangerIn('/stop @Nobody now', ['Andy']), 'Nobody');
  assert.equal(strangerIn('/stop @Nobody @Andy', ['Andy']), undefined);
  assert.equal(strangerIn('/stop now @Nobody', ['Andy']), undefined);
  assert.equal(strangerIn('/model @cf/some', ['Andy']), undefined, 'a name of a model');
});

test('help says how to reach the agents that are there, and every command', () => {
  assert.match(helpText(['Andy'], false), /^Anything that you write here goes to Andy\..*\n\/help – .*\n\/status/);
  assert.match(helpText(['Andy', 'Bea'], true), /begin with @Andy or @Bea\.[\s\S]*\/leave – /);
});
