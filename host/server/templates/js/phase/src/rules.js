// What is said, and what an answer means: plain JavaScript, so that it can be tested anywhere.

export function announcement(subject) {
  return { release: subject.release.tag, environment: subject.environment, project: subject.project };
}

/** What may pass is tried again with the same key. */
export function judge(status) {
  if (status >= 200 && status < 300) return undefined;
  const mayPass = status === 408 || status === 429 || status >= 500;
  const message = `the service answered with status ${status}`;
  return { code: 'refused', message, retry: mayPass ? 'same-key' : 'never', retryAfterMs: 0, details: '{}' };
}
