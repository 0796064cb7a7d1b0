import { createHmac } from 'node:crypto';
import { SIGNING_SECRET } from './state.ts';

/** Slack's own requests, signed over the time and the raw body. */

export interface Signed {
  body: string;
  headers: Record<string, string>;
}

export function signedRequest(payload: object, at = Date.now(), secret = SIGNING_SECRET): Signed {
  const isPress = 'actions' in payload;
  const json = JSON.stringify(payload);
  return signedBody(isPress ? String(new URLSearchParams({ payload: json })) : json, at, secret, isPress);
}

export function signedBody(body: string, at = Date.now(), secret = SIGNING_SECRET, isForm = false): Signed {
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return {
    body,
    headers: {
      'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${signature}`,
    },
  };
}
