// What a plan says and what is left to do: plain JavaScript, so that it can be tested anywhere.

export function wanted(subject) {
  return subject.type === 'DESTROY' ? null : subject.release.tag;
}

export function actionOf(before, after) {
  if (before === after) return 'no-op';
  if (before === null) return 'create';
  return after === null ? 'delete' : 'update';
}

/** A call may be repeated: it may have been done already. */
export function todo(now, from, to) {
  if (now === to) return 'nothing';
  return now === from ? 'write' : 'refuse';
}

export function failure(code, message, retry) {
  return { code, message, retry, retryAfterMs: 0, details: '{}' };
}

/** What may pass is tried again with the same key. */
export function refused(status) {
  const mayPass = status === 429 || status >= 500;
  return failure('refused', `the service answered with status ${status}`, mayPass ? 'same-key' : 'never');
}
