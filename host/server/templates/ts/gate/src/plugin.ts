// Asks a URL for a JSON object, and passes while one number in it is not too high.

import { send } from 'lockgate:plugin/http@0.1.0';
import type { Sampled, Verdict } from 'lockgate:gate/gate@0.1.0';
import type { Call, Description, Issue, Json } from 'lockgate:plugin/types@0.1.0';
import schema from '../config.schema.json';
import { decide, measure } from './rules';

const text = new TextDecoder();

function describe(): Description {
  return {
    name: '%%name%%',
    version: '0.1.0',
    summary: 'Passes while a number that a URL answers with is not too high.',
    configSchema: JSON.stringify(schema),
    requests: JSON.stringify({ http: [{ config: '/url' }] }),
    extra: [],
  };
}

/** What the schema cannot say; the host has checked the rest. */
function validate(_config: Json): Issue[] {
  return [];
}

/** Measures, and decides nothing. */
function sample(_call: Call, config: Json, _subject: Json, _memo: Uint8Array): Sampled {
  const { url, field } = JSON.parse(config);
  const response = request({ method: 'GET', url, headers: [], body: new Uint8Array(), timeoutMs: 10_000 });
  const evidence = JSON.stringify(measure(response.status, text.decode(response.body), field));
  return { done: true, evidence, memo: new Uint8Array(), pollAfterMs: 0, extra: [] };
}

/** Decides by the evidence alone. */
function judge(config: Json, _subject: Json, evidence: Json): Verdict {
  const { decision, reason } = decide(JSON.parse(config), JSON.parse(evidence));
  return { decision, reason, validForMs: 0, extra: [] };
}

/** A failure of the host comes wrapped in an Error, and has to be thrown as it is. */
function request(asked: Parameters<typeof send>[0]): ReturnType<typeof send> {
  try {
    return send(asked);
  } catch (error) {
    throw (error as { payload?: unknown }).payload ?? error;
  }
}

export const gate = { describe, validate, sample, judge };
