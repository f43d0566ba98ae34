// Keeps the tag of the release at a URL that understands GET, PUT and DELETE.

import { send } from 'lockgate:plugin/http@0.1.0';
import type { Planned, PlanStep, Progressed, ResourceState } from 'lockgate:target/target@0.1.0';
import type { Call, Description, Issue, Json } from 'lockgate:plugin/types@0.1.0';
import schema from '../config.schema.json';
import { actionOf, failure, refused, todo, wanted, type Value } from './rules';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function describe(): Description {
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
function validate(_config: Json): Issue[] {
  return [];
}

function plan(_call: Call, config: Json, subject: Json, _cursor: Uint8Array): PlanStep {
  const { url } = JSON.parse(config);
  const about = JSON.parse(subject);
  const before = valueAt(url);
  const after = wanted(about);
  const action = actionOf(before, after);
  const planned: Planned = {
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

function apply(call: Call, config: Json, _subject: Json, approved: Planned, _cursor: Uint8Array): Progressed {
  const { before, after } = JSON.parse(approved.token);
  return step(call, config, before, after, 'plan-stale');
}

function undo(call: Call, config: Json, _subject: Json, approved: Planned, _cursor: Uint8Array): Progressed {
  const { before, after } = JSON.parse(approved.token);
  return step(call, config, after, before, 'changed-since');
}

function observe(_call: Call, config: Json, subject: Json): ResourceState[] {
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
function step(call: Call, config: Json, from: Value, to: Value, otherwise: string): Progressed {
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

function valueAt(url: string): Value {
  const response = request({ method: 'GET', url, headers: [], body: new Uint8Array(), timeoutMs: 10_000 });
  if (response.status === 404) return null;
  if (response.status !== 200) throw refused(response.status);
  return decoder.decode(response.body).trim();
}

function write(url: string, call: Call, value: Value): void {
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
function request(asked: Parameters<typeof send>[0]): ReturnType<typeof send> {
  try {
    return send(asked);
  } catch (error) {
    throw (error as { payload?: unknown }).payload ?? error;
  }
}

export const target = { describe, validate, plan, apply, undo, observe };
