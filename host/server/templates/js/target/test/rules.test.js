import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionOf, todo, wanted } from '../src/rules.js';

test('the plan names what would happen', () => {
  const actions = [actionOf(null, 'v1'), actionOf('v1', 'v2'), actionOf('v2', 'v2'), actionOf('v2', null)];
  assert.deepEqual(actions, ['create', 'update', 'no-op', 'delete']);
});

test('a teardown leaves nothing', () => {
  assert.equal(wanted({ type: 'FULL', release: { tag: 'v1' } }), 'v1');
  assert.equal(wanted({ type: 'DESTROY', release: { tag: 'v1' } }), null);
});

test('a repeated call writes once, and a moved world is left alone', () => {
  assert.deepEqual(['v1', 'v2', 'v9'].map((now) => todo(now, 'v1', 'v2')), ['write', 'nothing', 'refuse']);
});
