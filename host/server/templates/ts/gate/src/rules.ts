// What is measured and how it is judged: plain TypeScript, so that it can be tested anywhere.

export interface Rule {
  field: string;
  max: number;
}

/** Kept for back-tests: later versions must be able to read it. */
export interface Evidence {
  status: number;
  field: string;
  value: number | null;
}

export interface Judgement {
  decision: 'pass' | 'fail' | 'inconclusive';
  reason: string;
}

export function measure(status: number, body: string, field: string): Evidence {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    answer = undefined;
  }
  const value = (answer as Record<string, unknown> | null | undefined)?.[field];
  return { status, field, value: status === 200 && typeof value === 'number' ? value : null };
}

export function decide({ field, max }: Rule, { status, field: measured, value }: Evidence): Judgement {
  if (value === null) return { decision: 'inconclusive', reason: `no number ${field} in an answer of status ${status}` };
  if (measured !== field) return { decision: 'inconclusive', reason: `${measured} was measured, not ${field}` };
  return { decision: value <= max ? 'pass' : 'fail', reason: `${field} is ${value}, at most ${max} is allowed` };
}
