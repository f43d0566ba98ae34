// Keeps the tag of the release at a URL that understands GET, PUT and DELETE.

import { send } from 'lockgate:plugin/http@0.1.0';
import schema from '../config.schema.json';
import { actionOf, failure, refused, todo, wanted } from './rules.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function describe() {
  return {
    name: '%%name%%',
    version: '0.1.0',
    summary: 'Keeps the tag of the release at a URL.',
    configSchema: JSON.stringify(schema),
    requests: JSON.stringify({ http: [{ config: '/url' }] }),
    extra: [],
  };
}

/** What the schema cannot say; the host has checked the rest. */
function validate(_config) {
  return [];
}

function plan(_call, config, subject, _cursor) {
  const { url } = JSON.parse(config);
  const about = JSON.parse(subject);
  const before = valueAt(url);
  const after = wanted(about);
  const action = actionOf(before, after);
  const planned = {
    summary: `${url}: ${before ?? 'nothing'} becomes ${after ?? 'nothing'}`,
    changes: [
      {
        application: about.application ?? '',
        kind: 'value',
        name: url,
        action,
        destructive: action === 'delete',
        fields: [
          { path: '/', before: JSON.stringify(before), after: JSON.stringify(after), sensitive: false, fingerprint: '' },
        ],
      },
    ],
    token: JSON.stringify({ before, after }),
  };
  return { done: true, cursor: new Uint8Array(), pollAfterMs: 0, planned, extra: [] };
}

function apply(call, config, _subject, approved, _cursor) {
  const { before, after } = JSON.parse(approved.token);
  return step(call, config, before, after, 'plan-stale');
}

function undo(call, config, _subject, approved, _cursor) {
  const { before, after } = JSON.parse(approved.token);
  return step(call, config, after, before, 'changed-since');
}

function observe(_call, config, subject) {
  const { url } = JSON.parse(config);
  const value = valueAt(url);
  return [
    {
      application: JSON.parse(subject).application ?? '',
      kind: 'value',
      name: url,
      version: value ?? '',
      artifactUri: url,
      weightPercent: 100,
      health: value === null ? 'missing' : 'healthy',
      details: '{}',
    },
  ];
}

/** From one value to another, and from nowhere else: what is there already is not written again. */
function step(call, config, from, to, otherwise) {
  const { url } = JSON.parse(config);
  const now = valueAt(url);
  const left = todo(now, from, to);
  if (left === 'refuse') throw failure(otherwise, `${url} holds ${now ?? 'nothing'} now`, 'never');
  if (left === 'write') write(url, call, to);
  return {
    done: true,
    cursor: new Uint8Array(),
    pollAfterMs: 0,
    summary: `${url} holds ${to ?? 'nothing'}`,
    outputs: JSON.stringify({ value: to }),
    extra: [],
  };
}

function valueAt(url) {
  const response = request({ method: 'GET', url, headers: [], body: new Uint8Array(), timeoutMs: 10_000 });
  if (response.status === 404) return null;
  if (response.status !== 200) throw refused(response.status);
  return decoder.decode(response.body).trim();
}

function write(url, call, value) {
  const response = request({
    method: value === null ? 'DELETE' : 'PUT',
    url,
    headers: [{ key: 'idempotency-key', value: call.idempotencyKey }],
    body: encoder.encode(value ?? ''),
    timeoutMs: 10_000,
  });
  if (response.status < 200 || response.status >= 300) throw refused(response.status);
}

/** A failure of the host comes wrapped in an Error, and has to be thrown as it is. */
function request(asked) {
  try {
    return send(asked);
  } catch (error) {
    throw error.payload ?? error;
  }
}

export const target = { describe, validate, plan, apply, undo, observe };
