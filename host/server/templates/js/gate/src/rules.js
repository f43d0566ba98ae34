// What is measured and how it is judged: plain JavaScript, so that it can be tested anywhere.

/** Kept for back-tests: later versions must be able to read it. */
export function measure(status, body, field) {
  let answer;
  try {
    answer = JSON.parse(body);
  } catch {
    answer = undefined;
  }
  const value = answer?.[field];
  return { status, field, value: status === 200 && typeof value === 'number' ? value : null };
}

export function decide({ field, max }, { status, field: measured, value }) {
  if (value === null) return { decision: 'inconclusive', reason: `no number ${field} in an answer of status ${status}` };
  if (measured !== field) return { decision: 'inconclusive', reason: `${measured} was measured, not ${field}` };
  return { decision: value <= max ? 'pass' : 'fail', reason: `${field} is ${value}, at most ${max} is allowed` };
}
