// Asks a URL for a JSON object, and passes while one number in it is not too high.

import { send } from 'lockgate:plugin/http@0.1.0';
import schema from '../config.schema.json';
import { decide, measure } from './rules.js';

const text = new TextDecoder();

function describe() {
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
function validate(_config) {
  return [];
}

/** Measures, and decides nothing. */
function sample(_call, config, _subject, _memo) {
  const { url, field } = JSON.parse(config);
  const response = request({ method: 'GET', url, headers: [], body: new Uint8Array(), timeoutMs: 10_000 });
  const evidence = JSON.stringify(measure(response.status, text.decode(response.body), field));
  return { done: true, evidence, memo: new Uint8Array(), pollAfterMs: 0, extra: [] };
}

/** Decides by the evidence alone. */
function judge(config, _subject, evidence) {
  const { decision, reason } = decide(JSON.parse(config), JSON.parse(evidence));
  return { decision, reason, validForMs: 0, extra: [] };
}

/** A failure of the host comes wrapped in an Error, and has to be thrown as it is. */
function request(asked) {
  try {
    return send(asked);
  } catch (error) {
    throw error.payload ?? error;
  }
}

export const gate = { describe, validate, sample, judge };
